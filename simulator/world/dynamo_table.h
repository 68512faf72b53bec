/* dynamo_table.h - DynamoDB tables in memory: items by key, in order.
 *
 * Items are the JSON of the protocol, {"pk":{"S":"lease"},"epoch":{"N":"7"}}. Keys are
 * texts (S). Two tables are there from the start, as the daemon needs them:
 * "lease" (pk) and "incidents" (pk, sk). */
#ifndef RC_DYNAMO_TABLE_H
#define RC_DYNAMO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

enum {
    RC_DYNAMO_TABLES_MAX = 8,
    RC_DYNAMO_NAME_LEN = 256,
    RC_DYNAMO_ATTRIBUTE_LEN = 64,
    RC_DYNAMO_ITEM_MAX = 400 * 1024,  /* bytes of one item */
    RC_DYNAMO_PAGE_MAX = 1024 * 1024, /* bytes of one page of Query or Scan */
    RC_DYNAMO_TOKENS_MAX = 64
};

struct rc_dynamo_row {
    const char *pk, *sk; /* in item; sk "" without a range key */
    struct cJSON *item;  /* owned */
    size_t bytes;
};

struct rc_dynamo_table {
    char name[RC_DYNAMO_NAME_LEN]; /* "" = free */
    char hash[RC_DYNAMO_ATTRIBUTE_LEN];
    char range[RC_DYNAMO_ATTRIBUTE_LEN]; /* "" = none */
    struct rc_dynamo_row *row;           /* by pk, then sk, as bytes */
    uint32_t count, room;
};

/* A transaction that was done, by its ClientRequestToken. */
struct rc_dynamo_token {
    char token[40];
    uint64_t hash; /* of the request */
    int64_t time_ms;
};

struct rc_dynamo {
    struct rc_dynamo_table table[RC_DYNAMO_TABLES_MAX];
    struct rc_dynamo_token token[RC_DYNAMO_TOKENS_MAX];
    uint32_t tokens;
};

struct rc_dynamo *rc_dynamo_new(void);
void rc_dynamo_free(struct rc_dynamo *d);
struct rc_dynamo_table *rc_dynamo_table(struct rc_dynamo *d, const char *name); /* or NULL */
/* NULL: no room, or there is one of this name. range may be "". */
struct rc_dynamo_table *rc_dynamo_table_add(struct rc_dynamo *d, const char *name, const char *hash,
                                            const char *range);

/* The key's texts in an item or a Key; false: missing, empty or no text (*ret_which names it). */
bool rc_dynamo_key(const struct rc_dynamo_table *t, const struct cJSON *item, const char **ret_pk,
                   const char **ret_sk, const char **ret_which);
/* Index of the row, or of the place where it would stand (*ret_found false). */
uint32_t rc_dynamo_find(const struct rc_dynamo_table *t, const char *pk, const char *sk,
                        bool *ret_found);
const struct cJSON *rc_dynamo_get(const struct rc_dynamo_table *t, const char *pk, const char *sk);
/* Takes item over (its key is good); false: no memory, item deleted. */
bool rc_dynamo_put(struct rc_dynamo_table *t, struct cJSON *item);
void rc_dynamo_delete(struct rc_dynamo_table *t, const char *pk, const char *sk);
/* Size as DynamoDB counts it: names and values. */
size_t rc_dynamo_size(const struct cJSON *item);

#endif
