/* dynamo_call.h - what the files of the DynamoDB protocol share. */
#ifndef RC_DYNAMO_CALL_H
#define RC_DYNAMO_CALL_H

#include "simulator/world/call.h"
#include "simulator/world/dynamo_expr.h"
#include "simulator/world/dynamo_table.h"

struct cJSON;

/* One write, as PutItem, UpdateItem, DeleteItem and the actions of a transaction ask for it:
 * first looked at (dynamo_write_check), then done (dynamo_write_do), so that a transaction is
 * all or nothing. */
struct rc_dynamo_write {
    struct rc_dynamo_table *table;
    const struct cJSON *in;   /* the request, or the action's object */
    const char *kind;         /* Put, Update, Delete, ConditionCheck */
    const char *pk, *sk;      /* in the request */
    const struct cJSON *old;  /* the item as it stands, or NULL; in the table */
    const char *code, *error; /* why not: error code without namespace, words; NULL = may be done */
};

void rc_dynamo_error(struct rc_call *call, const char *code, const char *text);
const char *rc_dynamo_text(const struct cJSON *in, const char *name); /* "" = not there */
struct rc_dynamo *rc_dynamo_of(struct rc_call *call);
/* The table that the request names; NULL: an error was answered. */
struct rc_dynamo_table *rc_dynamo_table_of(struct rc_call *call, const struct cJSON *in);

/* False: w->code and w->error say why it must not be done. */
bool rc_dynamo_write_check(struct rc_dynamo *d, struct rc_dynamo_write *w);
/* Once checked. Memory is taken for granted: rc-world ends when it is out. */
void rc_dynamo_write_do(const struct rc_dynamo_write *w);
/* Does the request want the old item with a failed condition? */
bool rc_dynamo_wants_old(const struct rc_dynamo_write *w);

void rc_dynamo_transact(struct rc_call *call, const struct cJSON *in);
void rc_dynamo_batch_get(struct rc_call *call, const struct cJSON *in);
void rc_dynamo_batch_write(struct rc_call *call, const struct cJSON *in);
void rc_dynamo_create_table(struct rc_call *call, const struct cJSON *in);
void rc_dynamo_describe_table(struct rc_call *call, const struct cJSON *in);

#endif
