/* dynamo_expr.h - DynamoDB's expressions, as far as the daemon and its tests use them.
 *
 * Conditions: = <> < <= > >=, BETWEEN x AND y, AND, OR, NOT, parentheses,
 * attribute_exists, attribute_not_exists, begins_with. Updates: SET a = v, a = a + v,
 * a = if_not_exists(a, v); REMOVE a. Only attributes at the top of an item. */
#ifndef RC_DYNAMO_EXPR_H
#define RC_DYNAMO_EXPR_H

#include <stdbool.h>

struct cJSON;

enum rc_dynamo_verdict { RC_DYNAMO_FALSE, RC_DYNAMO_TRUE, RC_DYNAMO_BAD };

/* Names and values of a request; either may be NULL. */
struct rc_dynamo_words {
    const struct cJSON *names;  /* ExpressionAttributeNames */
    const struct cJSON *values; /* ExpressionAttributeValues */
};

/* item NULL = there is none. BAD: *ret_why says what cannot be read (static text). */
enum rc_dynamo_verdict rc_dynamo_holds(const char *expression, const struct rc_dynamo_words *words,
                                       const struct cJSON *item, const char **ret_why);
/* Changes item in place; false: *ret_why. */
bool rc_dynamo_update(const char *expression, const struct rc_dynamo_words *words,
                      struct cJSON *item, const char **ret_why);

#endif
