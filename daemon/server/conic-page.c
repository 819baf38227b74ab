/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-page.h"

#include "conic-page-resources.h"

#include <string.h>

#define PREFIX "/conic/page/"
#define INDEX  "index.html"

/* Characters of the SHA-256 that tells two versions of a file apart. */
#define ETAG_CHARS 32

/* Nothing from anywhere else, nothing written into the page, no page around it, and no text that
 * becomes markup. What %s stands for are the addresses of the WebSocket. */
#define SECURITY_POLICY                                                                            \
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src blob:; "     \
  "connect-src 'self'%s; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "            \
  "require-trusted-types-for 'script'; trusted-types 'none'"

struct _ConicPageFile {
  const char *type;
  char *etag;
  GBytes *bytes;
};

struct _ConicPage {
  GHashTable *files; /* path → ConicPageFile */
};

static const struct {
  const char *suffix;
  const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

static const struct {
  const char *name;
  const char *value;
} fixed_headers[] = {
    /* To be asked for again each time, which costs nothing but a 304 until there is a new version. */
    {"Cache-Control", "no-cache"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), "
                           "geolocation=(), payment=(), usb=()"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
};

static void
free_file (gpointer data)
{
  ConicPageFile *file = data;

  g_free (file->etag);
  g_bytes_unref (file->bytes);
  g_free (file);
}

static const char *
find_type (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (name, types[i].suffix))
      return types[i].type;
  g_return_val_if_reached ("application/octet-stream");
}

/* What is compiled in can be had only by registering it for the whole process, which nobody else is to
 * notice: once there is a reference to it, that isn't needed any more. */
static GResource *
load_resource (void)
{
  GResource *resource;

  conic_page_register_resource ();
  resource = g_resource_ref (conic_page_get_resource ());
  conic_page_unregister_resource ();
  return resource;
}

static void
add_file (ConicPage *self, GResource *resource, const char *name)
{
  g_autofree char *path = g_strconcat (PREFIX, name, NULL);
  ConicPageFile *file = g_new0 (ConicPageFile, 1);
  g_autofree char *sum = NULL;

  file->bytes = g_resource_lookup_data (resource, path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  file->type = find_type (name);
  sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, file->bytes);
  file->etag = g_strdup_printf ("\"%.*s\"", ETAG_CHARS, sum);
  g_hash_table_insert (self->files, g_strconcat ("/", name, NULL), file);
}

/**
 * conic_page_new:
 *
 * Returns: (transfer full): the page
 */
ConicPage *
conic_page_new (void)
{
  ConicPage *self = g_new0 (ConicPage, 1);
  g_autoptr (GResource) resource = load_resource ();
  g_auto (GStrv) names = NULL;

  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_file);
  names = g_resource_enumerate_children (resource, PREFIX, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    add_file (self, resource, names[i]);
  return self;
}

void
conic_page_free (ConicPage *self)
{
  g_hash_table_unref (self->files);
  g_free (self);
}

/**
 * conic_page_find:
 * @self: the page
 * @path: that of a request
 *
 * Returns: (transfer none) (nullable): what is there, or %NULL
 */
const ConicPageFile *
conic_page_find (const ConicPage *self, const char *path)
{
  return g_hash_table_lookup (self->files, g_str_equal (path, "/") ? "/" INDEX : path);
}

/* Not every browser takes 'self' for the scheme of a WebSocket as well. What the client says of the
 * host is repeated only if that is a name and perhaps a port. */
static char *
make_security_policy (SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *host = soup_message_headers_get_one (headers, "Host");
  g_autofree char *sockets = NULL;

  if (host != NULL && *host != '\0' &&
      host[strspn (host, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-:")] == '\0')
    sockets = g_strdup_printf (" ws://%s wss://%s", host, host);
  return g_strdup_printf (SECURITY_POLICY, sockets != NULL ? sockets : "");
}

/* RFC 9110 section 13.1.2: the comparison is the weak one. */
static gboolean
is_known (const ConicPageFile *file, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *header = soup_message_headers_get_list (headers, "If-None-Match");
  gboolean known = FALSE;
  GSList *tags;

  if (header == NULL)
    return FALSE;
  tags = soup_header_parse_list (header);
  for (GSList *link = tags; link != NULL && !known; link = link->next) {
    const char *tag = link->data;

    known = g_str_equal (tag, "*") ||
            g_str_equal (g_str_has_prefix (tag, "W/") ? tag + strlen ("W/") : tag, file->etag);
  }
  soup_header_free_list (tags);
  return known;
}

/**
 * conic_page_answer:
 * @file: a file of the page, which outlives @message
 * @message: a request for it by GET or HEAD
 *
 * Answers with the file, or with 304 if the client has it already.
 */
void
conic_page_answer (const ConicPageFile *file, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autofree char *policy = make_security_policy (message);

  for (gsize i = 0; i < G_N_ELEMENTS (fixed_headers); i++)
    soup_message_headers_replace (headers, fixed_headers[i].name, fixed_headers[i].value);
  soup_message_headers_replace (headers, "Content-Security-Policy", policy);
  soup_message_headers_replace (headers, "ETag", file->etag);
  if (is_known (file, message)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_MODIFIED, NULL);
    return;
  }
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_replace (headers, "Content-Type", file->type);
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), file->bytes);
}
