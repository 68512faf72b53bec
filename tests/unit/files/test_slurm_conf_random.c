/* test_slurm_conf_random.c - random slurm.conf files and random replacements, from fixed seeds: the
 * result parses to the intended nodes, and every other line keeps its bytes. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/hostnames.h"
#include "reconciler/io/files/slurm_conf.h"
#include "reconciler/io/files/text_buf.h"
#include "tests/unit/files/scratch.h"

enum { SEEDS = 300, LINES_MAX = 24, NODES_MAX = 8, BATCH_MAX = 3 };

static uint64_t rng;

/* splitmix64 */
static uint64_t
draw(uint64_t below)
{
    uint64_t z = (rng += 0x9e3779b97f4a7c15U);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % below;
}

static const char *
pick(const char *const *list, size_t count)
{
    return list[draw(count)];
}
#define PICK(...)                                                                                  \
    pick((const char *const[]){__VA_ARGS__},                                                       \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

struct node {
    char name[40];
    char addr[40];
    char hostname[40];
};

/* A logical line as it was written, and the nodes that it defines. */
struct line {
    struct rc_text raw;
    struct node node[NODES_MAX];
    size_t nodes;
    char feature[24]; /* stands once in each piece */
};

static struct line lines[LINES_MAX];
static size_t line_count;

/* Blanks between two pairs, sometimes a line of their own. */
static void
put_gap(struct rc_text *t)
{
    rc_text_puts(t, PICK(" ", " ", " ", "\t", "  ", " \\\n", " \\\n    ", " \\  \n\t"));
}

static void
put_key(struct rc_text *t, const char *key)
{
    for (; *key; key++) {
        char c = *key;
        if (draw(8) == 0 && c >= 'a' && c <= 'z') {
            c = (char)(c - 'a' + 'A');
        }
        rc_text_add(t, &c, 1);
    }
    rc_text_puts(t, PICK("=", "=", "=", " = ", "= "));
}

/* The values as a list, bracketed or plain. */
static void
put_list(struct rc_text *t, const struct line *l, const char *(*get)(const struct node *))
{
    char *name[NODES_MAX] = {NULL};
    bool quoted = draw(4) == 0;

    for (size_t i = 0; i < l->nodes; i++) {
        name[i] = rc_copy(get(&l->node[i]), strlen(get(&l->node[i])));
    }
    rc_text_puts(t, quoted ? "\"" : "");
    if (draw(3) == 0) {
        for (size_t i = 0; i < l->nodes; i++) {
            rc_text_printf(t, "%s%s", i ? "," : "", name[i]);
        }
    } else {
        char *list = rc_hostnames_compress(name, l->nodes);
        rc_text_puts(t, list);
        free(list);
    }
    rc_text_puts(t, quoted ? "\"" : "");
    for (size_t i = 0; i < l->nodes; i++) {
        free(name[i]);
    }
}

static const char *
get_name(const struct node *n)
{
    return n->name;
}

static const char *
get_addr(const struct node *n)
{
    return n->addr;
}

static const char *
get_hostname(const struct node *n)
{
    return n->hostname;
}

static void
put_node_line(struct line *l, size_t index)
{
    static const char *const formats[] = {"gpu%zu-%zu", "n%zux%03zu", "c%zu-0%zu"};
    const char *format = pick(formats, 3);
    size_t first = draw(12);
    bool has_host = draw(3) == 0, has_addr = draw(2) == 0;

    l->nodes = 1 + draw(NODES_MAX);
    for (size_t i = 0; i < l->nodes; i++) {
        struct node *n = &l->node[i];
        first += draw(4) == 0;
        /* Formats come from the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(n->name, sizeof n->name, format, index, first + i);
#pragma GCC diagnostic pop
        snprintf(n->hostname, sizeof n->hostname, "%s%s", has_host ? "ip-" : "", n->name);
        snprintf(n->addr, sizeof n->addr, "%s", n->hostname);
        if (has_addr) {
            snprintf(n->addr, sizeof n->addr, "10.%zu.%u.%zu", index, (unsigned)draw(2), first + i);
        }
    }
    put_key(&l->raw, "NodeName");
    put_list(&l->raw, l, get_name);
    unsigned order = (unsigned)draw(2);
    for (unsigned k = 0; k < 2; k++) {
        if (has_addr && k == order) {
            put_gap(&l->raw);
            put_key(&l->raw, "NodeAddr");
            put_list(&l->raw, l, get_addr);
        }
        if (has_host && k != order) {
            put_gap(&l->raw);
            put_key(&l->raw, "NodeHostname");
            put_list(&l->raw, l, get_hostname);
        }
    }
    snprintf(l->feature, sizeof l->feature, "f%zu", index);
    put_gap(&l->raw);
    rc_text_printf(&l->raw, "Feature=%s", l->feature);
    put_gap(&l->raw);
    rc_text_puts(&l->raw, PICK("CPUs=4", "RealMemory=1000 State=UNKNOWN", "Reason=\"a  \\# b\""));
}

static void
put_other_line(struct line *l)
{
    rc_text_puts(&l->raw,
                 PICK("", "   ", "# NodeName=gpu-1 NodeAddr=1.2.3.4 \\", "ClusterName=c # mine",
                      "NodeName=DEFAULT CPUs=2 \\\n   RealMemory=5", "SlurmctldHost=a(10.0.0.1)",
                      "PartitionName=p Nodes=ALL \\ # all\n  MaxTime=1",
                      "DownNodes=x Reason=\"y z\"", "NodeSet=s Feature=other",
                      "SchedulerParameters=a=1,b=2\t"));
}

static void
generate(void)
{
    const char *eol = draw(5) == 0 ? "\r\n" : "\n";

    line_count = 2 + draw(LINES_MAX - 2);
    memset(lines, 0, sizeof lines);
    for (size_t i = 0; i < line_count; i++) {
        if (i == 0 || draw(2) == 0) {
            put_node_line(&lines[i], i);
        } else {
            put_other_line(&lines[i]);
        }
        rc_text_puts(&lines[i].raw, draw(6) == 0 && lines[i].nodes ? " # why" : "");
        rc_text_puts(&lines[i].raw, i + 1 == line_count && draw(3) == 0 ? "" : eol);
    }
}

/* Draws which nodes get another address, and notes it in lines[]. */
static size_t
draw_batch(struct rc_node_addr set[BATCH_MAX], bool touched[LINES_MAX])
{
    size_t count = 0, wanted = 1 + draw(BATCH_MAX);

    for (size_t tries = 0; count < wanted && tries < 50; tries++) {
        size_t at = draw(line_count);
        if (lines[at].nodes == 0) {
            continue;
        }
        struct node *n = &lines[at].node[draw(lines[at].nodes)];
        bool again = false;
        for (size_t i = 0; i < count; i++) {
            again = again || set[i].node == n->name;
        }
        if (!again) {
            snprintf(n->addr, sizeof n->addr, "172.16.%zu.%zu", at, count);
            set[count++] = (struct rc_node_addr){n->name, n->addr};
            touched[at] = true;
        }
    }
    return count;
}

static size_t
count_of(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word)) {
        count++;
    }
    return count;
}

/* Every line that defines no changed node stands in the result, in order, byte for byte. */
static bool
others_are_untouched(const char *result, const bool *touched)
{
    for (size_t i = 0; i < line_count; i++) {
        const char *raw = lines[i].raw.s ? lines[i].raw.s : "";
        if (touched[i]) {
            /* Pieces are skipped by the feature that each of them carries once. */
            const char *end = result;
            char feature[32];
            snprintf(feature, sizeof feature, "Feature=%s", lines[i].feature);
            const char *last = NULL;
            for (const char *at = end; (at = strstr(at, feature)) != NULL; at++) {
                char next = at[strlen(feature)];
                last = next < '0' || next > '9' ? at : last;
            }
            const char *tail = strstr(raw, feature) + strlen(feature);
            if (!last || strncmp(last + strlen(feature), tail, strlen(tail)) != 0) {
                return false;
            }
            result = last + strlen(feature) + strlen(tail);
        } else if (strncmp(result, raw, strlen(raw)) == 0) {
            result += strlen(raw);
        } else {
            return false;
        }
    }
    return *result == '\0';
}

/* Does the file define exactly the nodes of lines[], in order? */
static bool
nodes_are_as_intended(void)
{
    struct rc_slurm_conf *conf;
    struct rc_error e = {0};
    size_t k = 0;
    bool good = rc_slurm_conf_load(scratch_path("slurm.conf"), &conf, &e) == RC_OK;

    for (size_t i = 0; i < line_count && good; i++) {
        for (size_t n = 0; n < lines[i].nodes && good; n++, k++) {
            const struct rc_conf_node *got =
                k < rc_slurm_conf_count(conf) ? rc_slurm_conf_at(conf, k) : NULL;
            good = got && strcmp(got->name, lines[i].node[n].name) == 0 &&
                   strcmp(got->addr, lines[i].node[n].addr) == 0 &&
                   strcmp(got->hostname, lines[i].node[n].hostname) == 0;
        }
    }
    good = good && k == rc_slurm_conf_count(conf);
    rc_slurm_conf_free(conf);
    return good;
}

static bool
one_seed_holds(uint64_t seed, struct rc_error *e)
{
    struct rc_text file = {0};
    struct rc_node_addr set[BATCH_MAX];
    bool touched[LINES_MAX] = {false};
    bool good = true;

    rng = seed;
    generate();
    rc_text_puts(&file, "");
    for (size_t i = 0; i < line_count; i++) {
        rc_text_add(&file, lines[i].raw.s, lines[i].raw.len);
    }
    scratch_write("slurm.conf", file.s);
    good = nodes_are_as_intended();
    size_t count = draw_batch(set, touched);
    good = good &&
           rc_slurm_conf_set_addrs(scratch_path("slurm.conf"), set, count, NULL, NULL, e) == RC_OK;
    char *result = scratch_read("slurm.conf");
    good = good && nodes_are_as_intended() && others_are_untouched(result, touched);
    for (size_t i = 0; i < count; i++) {
        good = good && count_of(result, set[i].addr) == 1;
    }
    if (!good) {
        printf("# seed %llu: %s\n# before:\n%s\n# after:\n%s\n", (unsigned long long)seed, e->text,
               file.s, result);
    }
    free(result);
    free(file.s);
    for (size_t i = 0; i < line_count; i++) {
        free(lines[i].raw.s);
    }
    return good;
}

static void
random_files_keep_their_meaning(void)
{
    unsigned bad = 0;

    scratch_init();
    for (uint64_t seed = 1; seed <= SEEDS && bad < 3; seed++) {
        struct rc_error e = {0};
        bad += !one_seed_holds(seed, &e);
    }
    CU_ASSERT_EQUAL(bad, 0);
    scratch_done();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"300 random files keep their meaning under random replacements",
         random_files_keep_their_meaning},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("slurm_conf_random", tests);
}
