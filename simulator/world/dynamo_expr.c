/* dynamo_expr.c - a tokenizer and a parser that evaluates while it reads. What is not read to
 * its end is BAD, never a guess. */
#include "simulator/world/dynamo_expr.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_LEN = 256, DEPTH_MAX = 32 };

struct expr {
    const char *at;
    const struct rc_dynamo_words *words;
    const cJSON *item;
    const char *why; /* first thing that is wrong; NULL = well */
    unsigned depth;
    char word[WORD_LEN]; /* the token ahead; "" = the end */
};

static void
expr_bad(struct expr *e, const char *why)
{
    if (e->why == NULL)
        e->why = why;
    e->word[0] = '\0';
}

/* The next token: a word, a number sign and word, a colon and word, or an operator. */
static void
expr_next(struct expr *e)
{
    size_t len;

    e->at += strspn(e->at, " \t\r\n");
    len = strspn(e->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_#:");
    if (len == 0 && *e->at != '\0')
        len = strncmp(e->at, "<=", 2) == 0 || strncmp(e->at, ">=", 2) == 0 ||
                      strncmp(e->at, "<>", 2) == 0
                  ? 2
                  : 1;
    if (len >= WORD_LEN) {
        expr_bad(e, "a word is too long");
        return;
    }
    memcpy(e->word, e->at, len);
    e->word[len] = '\0';
    e->at += len;
}

static bool
expr_take(struct expr *e, const char *word)
{
    if (strcasecmp(e->word, word) != 0 || e->why != NULL)
        return false;
    expr_next(e);
    return true;
}

static void
expr_need(struct expr *e, const char *word, const char *why)
{
    if (!expr_take(e, word))
        expr_bad(e, why);
}

/* The name of an attribute; "" when it is none. */
static const char *
expr_path(struct expr *e, char room[WORD_LEN])
{
    const char *name = e->word;

    room[0] = '\0';
    if (*name == '#') {
        name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e->words->names, name));
        if (name == NULL) {
            expr_bad(e, "an expression attribute name is not defined");
            return room;
        }
    } else if (!isalpha((unsigned char)*name) && *name != '_') {
        expr_bad(e, "expected the name of an attribute");
        return room;
    }
    (void)snprintf(room, WORD_LEN, "%s", name);
    expr_next(e);
    if (strcmp(e->word, ".") == 0 || strcmp(e->word, "[") == 0)
        expr_bad(e, "only attributes at the top of an item are supported");
    return room;
}

/* A value, {"N":"7"}; NULL = the attribute is not there. */
static const cJSON *
expr_operand(struct expr *e)
{
    char name[WORD_LEN];
    const cJSON *value;

    if (e->word[0] != ':')
        return cJSON_GetObjectItemCaseSensitive(e->item, expr_path(e, name));
    value = cJSON_GetObjectItemCaseSensitive(e->words->values, e->word);
    if (value == NULL)
        expr_bad(e, "an expression attribute value is not defined");
    expr_next(e);
    return value;
}

/* -1, 0, 1; 2 = of different kinds, or not there: no comparison holds. */
static int
values_compare(const cJSON *a, const cJSON *b)
{
    const cJSON *x = a != NULL ? a->child : NULL;
    const cJSON *y = b != NULL ? b->child : NULL;

    if (x == NULL || y == NULL || strcmp(x->string, y->string) != 0)
        return 2;
    if (strcmp(x->string, "N") == 0 && cJSON_IsString(x) && cJSON_IsString(y)) {
        double m = strtod(x->valuestring, NULL);
        double n = strtod(y->valuestring, NULL);

        return m < n ? -1 : m > n;
    }
    if (cJSON_IsString(x) && cJSON_IsString(y)) {
        int order = strcmp(x->valuestring, y->valuestring);

        return order < 0 ? -1 : order > 0;
    }
    return cJSON_Compare(x, y, true) ? 0 : 2;
}

static bool
compare_holds(const char *op, int order)
{
    if (strcmp(op, "<>") == 0)
        return order != 0;
    if (order == 2)
        return false;
    return (strcmp(op, "=") == 0 && order == 0) || (strcmp(op, "<") == 0 && order < 0) ||
           (strcmp(op, "<=") == 0 && order <= 0) || (strcmp(op, ">") == 0 && order > 0) ||
           (strcmp(op, ">=") == 0 && order >= 0);
}

static bool
expr_function(struct expr *e, const char *name)
{
    char path[WORD_LEN];
    const cJSON *there;
    const cJSON *prefix;
    const char *text;
    const char *begin;

    expr_next(e);
    expr_need(e, "(", "expected ( after a function");
    there = cJSON_GetObjectItemCaseSensitive(e->item, expr_path(e, path));
    if (strcmp(name, "begins_with") != 0) {
        expr_need(e, ")", "expected ) after a function's argument");
        return (there != NULL) == (strcmp(name, "attribute_exists") == 0);
    }
    expr_need(e, ",", "expected two arguments of begins_with");
    prefix = expr_operand(e);
    expr_need(e, ")", "expected ) after a function's argument");
    text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(there, "S"));
    begin = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(prefix, "S"));
    return text != NULL && begin != NULL && strncmp(text, begin, strlen(begin)) == 0;
}

static bool
expr_comparison(struct expr *e)
{
    const cJSON *left = expr_operand(e);
    const cJSON *low;
    const cJSON *high;
    char op[4];

    if (expr_take(e, "BETWEEN")) {
        low = expr_operand(e);
        expr_need(e, "AND", "expected AND in BETWEEN");
        high = expr_operand(e);
        return compare_holds(">=", values_compare(left, low)) &&
               compare_holds("<=", values_compare(left, high));
    }
    if (strlen(e->word) > 2 || e->word[0] == '\0' || strchr("=<>", e->word[0]) == NULL) {
        expr_bad(e, "expected a comparison");
        return false;
    }
    (void)snprintf(op, sizeof(op), "%.3s", e->word);
    expr_next(e);
    return compare_holds(op, values_compare(left, expr_operand(e)));
}

static bool expr_or(struct expr *e);

static bool
expr_primary(struct expr *e)
{
    static const char *const functions[] = {"attribute_exists", "attribute_not_exists",
                                            "begins_with"};
    bool holds;

    if (expr_take(e, "NOT"))
        return !expr_primary(e);
    if (expr_take(e, "(")) {
        if (++e->depth > DEPTH_MAX) {
            expr_bad(e, "too many parentheses");
            return false;
        }
        holds = expr_or(e);
        e->depth--;
        expr_need(e, ")", "expected )");
        return holds;
    }
    for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(e->word, functions[i]) == 0)
            return expr_function(e, functions[i]);
    return expr_comparison(e);
}

static bool
expr_and(struct expr *e)
{
    bool holds = expr_primary(e);

    while (expr_take(e, "AND"))
        holds = expr_primary(e) && holds; /* read in any case */
    return holds;
}

static bool
expr_or(struct expr *e)
{
    bool holds = expr_and(e);

    while (expr_take(e, "OR"))
        holds = expr_and(e) || holds;
    return holds;
}

enum rc_dynamo_verdict
rc_dynamo_holds(const char *expression, const struct rc_dynamo_words *words, const cJSON *item,
                const char **ret_why)
{
    struct expr e = {.at = expression, .words = words, .item = item};
    bool holds;

    expr_next(&e);
    holds = expr_or(&e);
    if (e.why == NULL && e.word[0] != '\0')
        e.why = "something stands behind the expression's end";
    *ret_why = e.why;
    return e.why != NULL ? RC_DYNAMO_BAD : holds ? RC_DYNAMO_TRUE : RC_DYNAMO_FALSE;
}

/* --- updates -------------------------------------------------------------------------- */

static cJSON *
number_value(double value)
{
    cJSON *typed = cJSON_CreateObject();
    char text[32];

    (void)snprintf(text, sizeof(text), "%.17g", value);
    (void)cJSON_AddStringToObject(typed, "N", text);
    return typed;
}

static double
operand_number(struct expr *e, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(value, "N"));

    if (text == NULL) {
        expr_bad(e, "an operand is no number");
        return 0;
    }
    return strtod(text, NULL);
}

static cJSON *
update_operand(struct expr *e)
{
    char name[WORD_LEN];
    const cJSON *value;
    const cJSON *otherwise;

    if (strcmp(e->word, "if_not_exists") != 0) {
        value = expr_operand(e);
        if (value == NULL)
            expr_bad(e, "an operand refers to an attribute that does not exist");
        return cJSON_Duplicate(value, true);
    }
    expr_next(e);
    expr_need(e, "(", "expected ( after if_not_exists");
    value = cJSON_GetObjectItemCaseSensitive(e->item, expr_path(e, name));
    expr_need(e, ",", "expected two arguments of if_not_exists");
    otherwise = expr_operand(e);
    expr_need(e, ")", "expected ) after if_not_exists");
    return cJSON_Duplicate(value != NULL ? value : otherwise, true);
}

static void
update_set(struct expr *e, cJSON *item)
{
    do {
        char name[WORD_LEN];
        cJSON *value;

        (void)expr_path(e, name);
        expr_need(e, "=", "expected = in SET");
        value = update_operand(e);
        if (strcmp(e->word, "+") == 0 || strcmp(e->word, "-") == 0) {
            double sign = e->word[0] == '+' ? 1 : -1;
            cJSON *more;

            expr_next(e);
            more = update_operand(e);
            double sum = operand_number(e, value) + sign * operand_number(e, more);
            cJSON_Delete(value);
            cJSON_Delete(more);
            value = number_value(sum);
        }
        if (e->why != NULL || value == NULL) {
            cJSON_Delete(value);
            return;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(item, name);
        (void)cJSON_AddItemToObject(item, name, value);
    } while (expr_take(e, ","));
}

static void
update_remove(struct expr *e, cJSON *item)
{
    do {
        char name[WORD_LEN];

        (void)expr_path(e, name);
        cJSON_DeleteItemFromObjectCaseSensitive(item, name);
    } while (expr_take(e, ","));
}

bool
rc_dynamo_update(const char *expression, const struct rc_dynamo_words *words, cJSON *item,
                 const char **ret_why)
{
    cJSON *before = cJSON_Duplicate(item, true); /* operands are read as they were */
    struct expr e = {.at = expression, .words = words, .item = before};

    expr_next(&e);
    if (e.word[0] == '\0')
        expr_bad(&e, "the expression is empty");
    while (e.why == NULL && e.word[0] != '\0') {
        if (expr_take(&e, "SET"))
            update_set(&e, item);
        else if (expr_take(&e, "REMOVE"))
            update_remove(&e, item);
        else
            expr_bad(&e, "expected SET or REMOVE");
    }
    cJSON_Delete(before);
    *ret_why = e.why;
    return e.why == NULL;
}
