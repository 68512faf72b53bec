/* scenario.h - an incident as a story, played against the core.
 *
 * A folder holds story.txt (what happens, and when) and expected.txt (what the
 * daemon decides, line by line, with virtual times). docs/scenarios.md is the
 * guide to the format. The core is the same archive as in the daemon; around it
 * stands a small friendly world (scenario_world.h) that a story can tell to fail.
 * Same story and policy give the same bytes. */
#ifndef RC_SCENARIO_H
#define RC_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reconciler/core/errors.h"
#include "reconciler/io/fail.h"

/* Plays DIR/story.txt. policy_file NULL = the policy that the story names (relative to
 * its folder). *ret_text is malloc'd, NUL-terminated, the caller frees it. Errors: RC_E_IO
 * (a file cannot be read), RC_E_PARSE (story or policy; e->text names file, line and what
 * was expected), RC_E_INTERNAL (the core does not come to rest, or no memory). */
enum rc_err rc_scenario_play(const char *dir, const char *policy_file, char **ret_text,
                             struct rc_error *e);

/* Plays it and compares with DIR/expected.txt; differences are written to out as a diff
 * with three lines of context. rewrite: expected.txt is written instead. RC_OK: as
 * expected (or written). RC_E_NOT_VERIFIED: different. RC_E_IO: expected.txt cannot be read or
 * written. Otherwise as rc_scenario_play(). With one line on out. */
enum rc_err rc_scenario_check(const char *dir, const char *policy_file, bool rewrite, FILE *out);

/* The scenarios in DIR: DIR itself when it holds a story.txt, else its sub-folders that do,
 * sorted by name. *ret_paths is malloc'd, as is each path; rc_scenario_list_free(). RC_E_IO or
 * RC_E_NOT_FOUND (no story there). */
enum rc_err rc_scenario_list(const char *dir, char ***ret_paths, size_t *ret_count,
                             struct rc_error *e);
void rc_scenario_list_free(char **paths, size_t count);

/* What stands in want but not in got and the other way round, as lines "-…" and "+…" with
 * context. Returns true when both are equal (and writes nothing). */
bool rc_scenario_diff(const char *want, const char *got, FILE *out);

#endif
