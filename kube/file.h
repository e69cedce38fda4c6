/*
 * Small files that somebody else keeps: a kubelet, an operator. Opened by
 * their path each time they are read. Not checked here: what stands in them,
 * and whose they are.
 */
#ifndef CS_KUBE_FILE_H
#define CS_KUBE_FILE_H

#include "base/buf.h"

/* All of it, at most max octets, without the line ends behind it. CS_E_IO. */
bool cs_kube_file_read(const char *path, size_t max, struct cs_buf *ret_text,
		       struct cs_error *err) CS_MUST_USE;

#endif
