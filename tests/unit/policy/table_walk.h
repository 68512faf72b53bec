/* table_walk.h - visits every key of a key table, and tries a wrong value on each. */
#ifndef RC_TEST_TABLE_WALK_H
#define RC_TEST_TABLE_WALK_H

#include "policies/bind.h"

/* path: "rules[0].jobs.wait". */
typedef void(table_visit_fn)(const struct rc_bind_row *row, const char *path, void *arg);
void table_walk(const struct rc_bind_table *table, table_visit_fn *visit, void *arg);

/* Loads text and fills errs; returns the loader's answer. */
typedef enum rc_err(table_load_fn)(const char *text, size_t len, struct rc_load_errors *errs);
/* For every key: a file in which this key alone has a value of a wrong type must be refused
 * with "FILE:1:COLUMN: PATH: expected …, got …" at the right column. One test case a key. */
void table_try_wrong_values(const struct rc_bind_table *table, const char *file,
                            table_load_fn *load);

#endif
