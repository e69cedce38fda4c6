/*
 * The Accept header (RFC 9110 12.5.1) where a route has several forms of one
 * thing: the form with the highest weight, of several alike the one that
 * stands first in the header. A range that cannot be read is skipped; no
 * header, or an empty one, takes JSON.
 */
#ifndef CS_API_ACCEPT_H
#define CS_API_ACCEPT_H

#include "api/list_form.h"
#include "api/waits.h"
#include "base/span.h"

enum cs_certificate_form cs_accept_certificate(struct cs_span accept);
enum cs_list_form cs_accept_list(struct cs_span accept);

#endif
