/* The writer: numbers go on, one writer at a time, one sync for many waiters,
 * rotation and retention. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/journal/journal_scratch.h"

static void
a_new_journal_is_empty_and_numbers_go_on_after_it_is_opened_again(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_error err;

    scratch_open(&s);
    for (uint64_t life = 0; life < 3; life++) {
        struct rc_journal *j = scratch_journal(&s, NULL, &opened);
        CU_ASSERT_EQUAL(opened.last, 4 * life);
        CU_ASSERT_EQUAL(opened.first, life ? 1 : 0);
        CU_ASSERT_EQUAL(opened.torn.bytes, 0);
        for (uint64_t i = 1; i <= 4; i++) {
            CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
            CU_ASSERT_EQUAL(rc_journal_last(j), 4 * life + i);
        }
        rc_journal_close(j);
    }
    scratch_close(&s);
}

static void
a_second_writer_is_refused_with_the_pid_of_the_first(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_journal_options o;
    struct rc_journal *second;
    struct rc_error err;
    char pid[32];

    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    o = scratch_journal_options(&s);
    CU_ASSERT_EQUAL(rc_journal_open(&o, &second, &opened, &err), RC_E_STATE);
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, pid));
    rc_journal_close(j);
    j = scratch_journal(&s, NULL, NULL);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
records_survive_kill_9_of_the_writer(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_error err;
    int status;

    scratch_open(&s);
    pid_t pid = fork();
    if (pid == 0) {
        struct rc_journal *j = scratch_journal(&s, NULL, NULL);
        while (rc_journal_last(j) < 25) {
            scratch_append(j, &err);
        }
        kill(getpid(), SIGKILL);
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    struct rc_journal *j = scratch_journal(&s, NULL, &opened);
    CU_ASSERT_EQUAL(opened.last, 25);
    rc_journal_close(j);
    scratch_close(&s);
}

static unsigned *syncs; /* shared with the syncer's child */

static int
count_sync(int fd)
{
    ++*syncs;
    return fdatasync(fd);
}

struct group {
    unsigned answered;
    bool done;
    uint64_t need, durable;
};

static void
on_group(void *arg, enum rc_err code, uint64_t durable)
{
    struct group *g = arg;

    CU_ASSERT_EQUAL(code, RC_OK);
    g->answered++;
    g->durable = durable;
    g->done = durable >= g->need && g->answered == 100;
}

static void
one_fdatasync_serves_all_who_wait(void)
{
    struct scratch s = {.fdatasync_fn = count_sync};
    struct group g = {.need = 100};
    struct rc_error err;

    syncs = mmap(NULL, sizeof *syncs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    for (unsigned i = 0; i < 100; i++) {
        CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
        CU_ASSERT_EQUAL(rc_journal_sync(j, on_group, &g, &err), RC_OK);
        CU_ASSERT_EQUAL(g.answered, 0);
    }
    scratch_wait(&s, &g.done);
    CU_ASSERT_EQUAL(g.answered, 100);
    CU_ASSERT_EQUAL(g.durable, 100);
    CU_ASSERT_EQUAL(rc_journal_durable(j), 100);
    /* The first request: file and directory; the second, for the other 99: the file. */
    CU_ASSERT_EQUAL(*syncs, 3);
    CU_ASSERT_EQUAL(scratch_sync(&s, j, NULL), RC_OK);
    CU_ASSERT_EQUAL(*syncs, 3);
    rc_journal_close(j);
    scratch_close(&s);
    munmap(syncs, sizeof *syncs);
}

static void
on_cancelled(void *arg, enum rc_err code, uint64_t durable)
{
    (void)durable;
    CU_ASSERT_EQUAL(code, RC_E_CANCELLED);
    ++*(unsigned *)arg;
}

static void
closing_cancels_those_who_wait(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    unsigned cancelled = 0;
    struct rc_error err;

    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
        CU_ASSERT_EQUAL(rc_journal_sync(j, on_cancelled, &cancelled, &err), RC_OK);
    }
    rc_journal_close(j);
    CU_ASSERT_EQUAL(cancelled, 3);
    scratch_close(&s); /* the sync under way is answered into the void */
}

static void
a_batch_is_numbered_as_one(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    const struct rc_journal_item items[] = {{RC_JOURNAL_EVENT, 5, "event"},
                                            {RC_JOURNAL_ACTION, 6, "action"},
                                            {RC_JOURNAL_TEXT, 0, NULL},
                                            {RC_JOURNAL_MARK, 4, "mark"}};
    struct rc_journal_reader *r;
    struct rc_journal_record record;
    struct rc_error err;
    uint64_t last;

    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    CU_ASSERT_EQUAL(rc_journal_append(j, items, 4, &last, &err), RC_OK);
    CU_ASSERT_EQUAL(last, 4);
    CU_ASSERT_EQUAL_FATAL(rc_journal_reader_open(scratch_path(&s, "j"), NULL, &r, &err), RC_OK);
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(rc_journal_reader_next(r, &record, &err), RC_OK);
        CU_ASSERT_EQUAL(record.type, items[i].type);
        CU_ASSERT_EQUAL(record.len, items[i].len);
    }
    CU_ASSERT_STRING_EQUAL((const char *)record.data, "mark");
    CU_ASSERT_STRING_EQUAL(rc_journal_type_name(record.type), "mark");
    rc_journal_reader_free(r);
    rc_journal_close(j);
    scratch_close(&s);
}

/* --- rotation --------------------------------------------------------------------- */

static unsigned
segments_in(const struct scratch *s)
{
    DIR *d = opendir(scratch_path(s, "j"));
    unsigned count = 0;
    struct dirent *entry;

    while ((entry = readdir(d))) {
        count += strstr(entry->d_name, ".rcj") != NULL;
    }
    closedir(d);
    return count;
}

static void
rotate_and_wait(struct scratch *s, struct rc_journal *j)
{
    struct rc_error err;
    uint64_t number;

    CU_ASSERT_EQUAL_FATAL(rc_journal_rotate(j, "state", 5, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(number, rc_journal_last(j));
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    CU_ASSERT_EQUAL(scratch_sync(s, j, NULL), RC_OK);
}

static void
rotation_is_wanted_above_the_size_and_the_snapshot_does_not_count(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_error err;
    uint64_t number;
    static char state[100000];

    scratch_open(&s);
    struct rc_journal_options o = scratch_journal_options(&s);
    o.segment_bytes = 1000;
    struct rc_journal *j = scratch_journal(&s, &o, NULL);
    while (!rc_journal_wants_rotation(j)) {
        CU_ASSERT_EQUAL_FATAL(scratch_append(j, &err), RC_OK);
    }
    CU_ASSERT(rc_journal_size(j) > 1000 && rc_journal_size(j) < 1400);
    CU_ASSERT_EQUAL(rc_journal_rotate(j, state, sizeof state, &number, &err), RC_OK);
    CU_ASSERT_FALSE(rc_journal_wants_rotation(j));
    rc_journal_close(j);
    j = scratch_journal(&s, &o, NULL);
    CU_ASSERT_FALSE(rc_journal_wants_rotation(j));
    rc_journal_close(j);
    scratch_close(&s);
}

static void
old_segments_go_by_count_once_the_new_one_is_on_the_disk(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_error err;

    scratch_open(&s);
    struct rc_journal_options o = scratch_journal_options(&s);
    o.keep_segments = 3;
    struct rc_journal *j = scratch_journal(&s, &o, NULL);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    for (int i = 0; i < 6; i++) {
        rotate_and_wait(&s, j);
    }
    CU_ASSERT_EQUAL(segments_in(&s), 3);
    rc_journal_close(j);
    j = scratch_journal(&s, &o, &opened);
    CU_ASSERT_EQUAL(opened.segments, 3);
    CU_ASSERT_EQUAL(opened.first, 10 - 2);
    CU_ASSERT_EQUAL(opened.last, 13);
    rotate_and_wait(&s, j);
    CU_ASSERT_EQUAL(segments_in(&s), 3);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
old_segments_go_by_bytes_but_two_stay(void)
{
    struct scratch s = {.fdatasync_fn = NULL};

    scratch_open(&s);
    struct rc_journal_options o = scratch_journal_options(&s);
    o.keep_bytes = 1;
    struct rc_journal *j = scratch_journal(&s, &o, NULL);
    for (int i = 0; i < 5; i++) {
        rotate_and_wait(&s, j);
    }
    CU_ASSERT_EQUAL(segments_in(&s), 2);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
an_empty_segment_can_be_rotated(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_error err;
    uint64_t number;

    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "a", 1, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(number, 1);
    CU_ASSERT_EQUAL(rc_journal_rotate(j, "b", 1, &number, &err), RC_OK);
    CU_ASSERT_EQUAL(number, 2);
    CU_ASSERT_EQUAL(scratch_sync(&s, j, NULL), RC_OK);
    rc_journal_close(j);
    j = scratch_journal(&s, NULL, &opened);
    CU_ASSERT_EQUAL(opened.first, 1);
    CU_ASSERT_EQUAL(opened.last, 2);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
a_large_snapshot_comes_back_whole(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_reader *r;
    struct rc_journal_record record;
    struct rc_error err;
    size_t len = 24U << 20;
    uint64_t number;

    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    uint32_t *state = malloc(len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state);
    for (uint32_t i = 0; i < len / sizeof *state; i++) {
        state[i] = i * 2654435761U;
    }
    CU_ASSERT_EQUAL(rc_journal_rotate(j, state, len, &number, &err), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_journal_reader_open(scratch_path(&s, "j"), NULL, &r, &err), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_journal_reader_to_snapshot(r, 0, &err), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_journal_reader_next(r, &record, &err), RC_OK);
    CU_ASSERT_EQUAL_FATAL(record.len, len);
    CU_ASSERT_EQUAL(memcmp(record.data, state, len), 0);
    free(state);
    rc_journal_reader_free(r);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
a_rotation_that_a_kill_cut_short_leaves_the_old_segment_in_use(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_error err;

    scratch_open(&s);
    struct rc_journal *j = scratch_journal(&s, NULL, NULL);
    CU_ASSERT_EQUAL(scratch_append(j, &err), RC_OK);
    rc_journal_close(j);
    scratch_write(&s, "j/journal-00000000000000000002.rcj.new", "half", 4);
    j = scratch_journal(&s, NULL, &opened);
    CU_ASSERT_EQUAL(opened.last, 1);
    CU_ASSERT_EQUAL(segments_in(&s), 1);
    rc_journal_close(j);
    scratch_close(&s);
}

static void
a_directory_that_cannot_be_made_is_refused_with_its_name(void)
{
    struct scratch s = {.fdatasync_fn = NULL};
    struct rc_journal_opened opened;
    struct rc_journal *j;
    struct rc_error err;

    scratch_open(&s);
    struct rc_journal_options o = scratch_journal_options(&s);
    scratch_write(&s, "file", "", 0);
    o.dir = scratch_path(&s, "file/j");
    CU_ASSERT_EQUAL(rc_journal_open(&o, &j, &opened, &err), RC_E_DISK);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "file/j"));
    o.dir = scratch_path(&s, "j");
    o.cluster = "a-name-that-is-longer-than-any-cluster-name-may-be";
    CU_ASSERT_EQUAL(rc_journal_open(&o, &j, &opened, &err), RC_E_INVALID);
    scratch_close(&s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a new journal is empty, and numbers go on after it is opened again",
         a_new_journal_is_empty_and_numbers_go_on_after_it_is_opened_again},
        {"a second writer is refused with the pid of the first",
         a_second_writer_is_refused_with_the_pid_of_the_first},
        {"records survive kill -9 of the writer", records_survive_kill_9_of_the_writer},
        {"one fdatasync serves all who wait", one_fdatasync_serves_all_who_wait},
        {"closing cancels those who wait", closing_cancels_those_who_wait},
        {"a batch is numbered as one", a_batch_is_numbered_as_one},
        {"rotation is wanted above the size, and the snapshot does not count",
         rotation_is_wanted_above_the_size_and_the_snapshot_does_not_count},
        {"old segments go by count once the new one is on the disk",
         old_segments_go_by_count_once_the_new_one_is_on_the_disk},
        {"old segments go by bytes, but two stay", old_segments_go_by_bytes_but_two_stay},
        {"an empty segment can be rotated", an_empty_segment_can_be_rotated},
        {"a large snapshot comes back whole", a_large_snapshot_comes_back_whole},
        {"a rotation that a kill cut short leaves the old segment in use",
         a_rotation_that_a_kill_cut_short_leaves_the_old_segment_in_use},
        {"a directory that cannot be made is refused with its name",
         a_directory_that_cannot_be_made_is_refused_with_its_name},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("journal", tests);
}
