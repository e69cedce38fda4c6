/*
 * What a plain YAML scalar is: null, a boolean, an integer, text, or one of
 * the spellings that YAML's versions read differently and that are therefore
 * refused. Pure functions, for base/yaml.c.
 */
#ifndef CS_BASE_YAML_SCALAR_H
#define CS_BASE_YAML_SCALAR_H

#include "base/yaml.h"

/*
 * Fills kind, boolean and integer of *node from its text. Otherwise returns
 * what other readers would take the text for ("a float"), to be shown.
 */
const char *cs_yaml_scalar_plain(struct cs_yaml *node) CS_MUST_USE;

#endif
