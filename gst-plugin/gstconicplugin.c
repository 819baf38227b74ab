/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/gst.h>

#include "gstconicbin.h"
#include "gstconicsignaller.h"
#include "gstconicsink.h"
#include "gstconicsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean registered = FALSE;

  registered |= GST_ELEMENT_REGISTER (conicbin, plugin);
  registered |= GST_ELEMENT_REGISTER (conicsignaller, plugin);
  registered |= GST_ELEMENT_REGISTER (conicsink, plugin);
  registered |= GST_ELEMENT_REGISTER (conicsrc, plugin);
  return registered;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR,
                   GST_VERSION_MINOR,
                   conic,
                   "WebRTC peers that meet on a Conic hub",
                   plugin_init,
                   CONIC_VERSION,
                   "LGPL",
                   "conic",
                   "https://github.com/HMasataka/conic")
