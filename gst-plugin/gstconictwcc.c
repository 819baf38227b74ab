/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gstconictwcc.h"

#include <gst/rtp/rtp.h>
#include <string.h>

#define TWCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* One-byte headers have ids from 1 to 14, RFC 8285 section 4.2. */
#define ID_MAX 14

void
gst_conic_twcc_add_to_caps (GstCaps *caps, guint id)
{
  g_autofree char *field = g_strdup_printf ("extmap-%u", id);

  if (id > 0)
    gst_caps_set_simple (caps, field, G_TYPE_STRING, TWCC_URI, NULL);
}

guint
gst_conic_twcc_find_id (const GstSDPMedia *media)
{
  const char *value;

  for (guint n = 0; (value = gst_sdp_media_get_attribute_val_n (media, "extmap", n)); n++) {
    const char *uri = strchr (value, ' ');
    guint64 id = g_ascii_strtoull (value, NULL, 10);

    if (uri != NULL && g_str_has_prefix (uri + 1, TWCC_URI) && id > 0 && id <= ID_MAX)
      return (guint) id;
  }
  return 0;
}

void
gst_conic_twcc_add_to_payloader (GstElement *payloader, guint id)
{
  g_autoptr (GstElement) extension = gst_element_factory_make ("rtphdrexttwcc", NULL);

  if (extension == NULL)
    return;
  gst_object_ref_sink (extension);
  gst_rtp_header_extension_set_id (GST_RTP_HEADER_EXTENSION (extension), id);
  g_signal_emit_by_name (payloader, "add-extension", extension);
}
