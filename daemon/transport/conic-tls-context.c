/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "conic-tls-context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

/* Of TLS 1.2; what 1.3 has is all good. Forward secrecy, and no cipher in CBC mode. */
#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

/* The only protocol that a WebSocket begins with here: RFC 7301 section 3.1, with its length. */
#define ALPN_HTTP_1_1 "\x08http/1.1"

/* Says what is wrong with a file: why it can't be read, or else what is wrong in it. */
static void
set_file_error (GError **error, const char *file, const char *what)
{
  gulong code = ERR_peek_error ();

  if (ERR_SYSTEM_ERROR (code))
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (ERR_GET_REASON (code)), "%s: %s", file,
                 g_strerror (ERR_GET_REASON (code)));
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s", file, what);
  ERR_clear_error ();
}

/* OpenSSL would ask for it on the terminal. */
static int
refuse_password (char *buffer, int size, int writing, void *user_data)
{
  return -1;
}

static int
select_alpn (SSL *ssl,
             const unsigned char **chosen,
             unsigned char *chosen_length,
             const unsigned char *offered,
             unsigned int offered_length,
             void *user_data)
{
  if (SSL_select_next_proto ((unsigned char **) chosen, chosen_length,
                             (const unsigned char *) ALPN_HTTP_1_1, strlen (ALPN_HTTP_1_1), offered,
                             offered_length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  return SSL_TLSEXT_ERR_OK;
}

static gboolean
load_files (SSL_CTX *context, const char *certificate_file, const char *key_file, GError **error)
{
  g_autofree char *mismatch = NULL;

  ERR_clear_error ();
  if (SSL_CTX_use_certificate_chain_file (context, certificate_file) != 1) {
    set_file_error (error, certificate_file, "there is no usable certificate in it, in PEM");
    return FALSE;
  }
  if (SSL_CTX_use_PrivateKey_file (context, key_file, SSL_FILETYPE_PEM) != 1) {
    mismatch = g_strdup_printf ("it is not the key of the certificate in %s", certificate_file);
    set_file_error (error, key_file,
                    ERR_GET_REASON (ERR_peek_error ()) == X509_R_KEY_VALUES_MISMATCH
                        ? mismatch
                        : "there is no usable private key in it, in PEM and without a passphrase");
    return FALSE;
  }
  if (SSL_CTX_check_private_key (context) != 1) {
    mismatch = g_strdup_printf ("it is not the key of the certificate in %s", certificate_file);
    set_file_error (error, key_file, mismatch);
    return FALSE;
  }
  if (X509_cmp_current_time (X509_get0_notAfter (SSL_CTX_get0_certificate (context))) < 0)
    g_warning ("%s: the certificate has expired", certificate_file);
  return TRUE;
}

/**
 * conic_tls_context_new:
 * @certificate_file: (type filename): the certificate, and those that lead to its authority, in PEM
 * @key_file: (type filename): its private key, in PEM, without a passphrase
 * @error: return location for a #GIOError that begins with the name of the file it is about
 *
 * Returns: (transfer full) (nullable): a context that sessions can begin with, or %NULL
 */
ConicTlsContext *
conic_tls_context_new (const char *certificate_file, const char *key_file, GError **error)
{
  g_autoptr (ConicTlsContext) self = SSL_CTX_new (TLS_server_method ());

  SSL_CTX_set_default_passwd_cb (self, refuse_password);
  if (!load_files (self, certificate_file, key_file, error))
    return NULL;

  SSL_CTX_set_min_proto_version (self, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list (self, CIPHERS_1_2);
  SSL_CTX_set_alpn_select_cb (self, select_alpn, NULL);
  /* A WebSocket says itself that it ends; no client can have us renegotiate over and over. */
  SSL_CTX_set_options (self, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
  /* An idle session keeps no buffers. */
  SSL_CTX_set_mode (self, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* Sessions are resumed by the client's tickets, and kept nowhere here. */
  SSL_CTX_set_session_cache_mode (self, SSL_SESS_CACHE_OFF);
  return g_steal_pointer (&self);
}

ConicTlsContext *
conic_tls_context_ref (ConicTlsContext *self)
{
  SSL_CTX_up_ref (self);
  return self;
}

void
conic_tls_context_unref (ConicTlsContext *self)
{
  SSL_CTX_free (self);
}
