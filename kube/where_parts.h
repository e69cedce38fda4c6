/* For where.c and where_kubeconfig.c only. */
#ifndef CS_KUBE_WHERE_PARTS_H
#define CS_KUBE_WHERE_PARTS_H

#include "kube/where.h"

/* Fill *w from a kubeconfig's current context. */
bool cs_where_kubeconfig(const char *path, struct cs_where *w,
			 struct cs_error *err) CS_MUST_USE;

#endif
