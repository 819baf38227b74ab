/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * ConicPage:
 *
 * The page for browsers, `apps/web`, which is compiled into the daemon.
 */
typedef struct _ConicPage ConicPage;

/**
 * ConicPageFile:
 *
 * One file of it.
 */
typedef struct _ConicPageFile ConicPageFile;

ConicPage *conic_page_new (void);
void conic_page_free (ConicPage *page);

const ConicPageFile *conic_page_find (const ConicPage *page, const char *path);
void conic_page_answer (const ConicPageFile *file, SoupServerMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConicPage, conic_page_free)

G_END_DECLS
