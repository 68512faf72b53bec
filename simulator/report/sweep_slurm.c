/* sweep_slurm.c - see sweep_slurm.h. The script of the array goes into sbatch's stdin; each
 * task calls this same program with --piece. DIR and the program must be on a file system
 * that the nodes share, as for any Slurm job. */
#define _GNU_SOURCE
#include "simulator/report/sweep_slurm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "simulator/progress.h"
#include "simulator/report/sweep_piece.h"

enum { LOOK_US = 500 * 1000, WORDS_MAX = 64, STATUS_NO_PROGRAM = 127 };

static int
wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
call_quietly(char *const words[])
{
    pid_t pid = fork();

    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
        execvp(words[0], words);
        _exit(STATUS_NO_PROGRAM);
    }
    return pid < 0 ? -1 : wait_for(pid);
}

bool
rc_sweep_has_slurm(void)
{
    static char sbatch[] = "sbatch", version[] = "--version", scontrol[] = "scontrol",
                ping[] = "ping";
    char *const first[] = {sbatch, version, NULL}, *const second[] = {scontrol, ping, NULL};

    return call_quietly(first) == 0 && call_quietly(second) == 0;
}

/* 'it'\''s' */
static void
print_quoted(FILE *out, const char *word)
{
    fputc('\'', out);
    for (; *word; word++) {
        if (*word == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*word, out);
        }
    }
    fputs("' ", out);
}

static bool
print_script(FILE *out, const struct rc_study *s, int argc, char **argv)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

    if (len < 0) {
        perror("simulate: /proc/self/exe");
        return false;
    }
    program[len] = '\0';
    fputs("#!/bin/sh\nexec ", out);
    print_quoted(out, program);
    for (int i = 0; i < argc; i++) {
        print_quoted(out, argv[i]);
    }
    fprintf(out, "--pieces %u --piece \"$SLURM_ARRAY_TASK_ID\"\n", s->pieces);
    return true;
}

/* "0-3,7" */
static char *
array_of(const struct rc_study *s, const bool *wanted)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    for (uint32_t i = 0, some = 0; f && i < s->pieces; i++) {
        uint32_t last = i;
        if (!wanted[i]) {
            continue;
        }
        while (last + 1 < s->pieces && wanted[last + 1]) {
            last++;
        }
        fprintf(f, last > i ? "%s%u-%u" : "%s%u", some++ ? "," : "--array=", i, last);
        i = last;
    }
    if (f) {
        fclose(f);
    }
    return text;
}

/* Words of --sbatch, parted by blanks. */
static int
add_options(char *options, char **words, int count)
{
    for (char *save = NULL, *word = options ? strtok_r(options, " ", &save) : NULL;
         word && count < WORDS_MAX - 1; word = strtok_r(NULL, " ", &save)) {
        words[count++] = word;
    }
    words[count] = NULL;
    return count;
}

static pid_t
start_sbatch(const struct rc_study *s, char *array, int *ret_in)
{
    static char sbatch[] = "sbatch", wait[] = "--wait", name[] = "--job-name=simulate-sweep",
                input[] = "--input=/dev/null";
    char output[4200], *options = s->sbatch ? strdup(s->sbatch) : NULL;
    char *words[WORDS_MAX] = {sbatch, wait, name, input, output, array};
    int in[2];

    snprintf(output, sizeof output, "--output=%s/piece-%%a.log", s->dir);
    add_options(options, words, 6);
    if (pipe2(in, O_CLOEXEC) != 0) {
        free(options);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is for the report */
        execvp(words[0], words);
        perror("simulate: sbatch");
        _exit(STATUS_NO_PROGRAM);
    }
    close(in[0]);
    *ret_in = in[1];
    free(options);
    return pid;
}

static uint64_t
count_whole(const struct rc_study *s, const bool *wanted)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < s->pieces; i++) {
        char path[4096];
        rc_piece_path(s, i, path, sizeof path);
        count += wanted[i] && access(path, R_OK) == 0;
    }
    return count;
}

/* sbatch --wait ends with the array; meanwhile files appear. */
static int
watch(const struct rc_study *s, const bool *wanted, pid_t pid)
{
    struct rc_progress bar;
    uint64_t all = 0;
    int status = 0;

    for (uint32_t i = 0; i < s->pieces; i++) {
        all += wanted[i];
    }
    rc_progress_begin(&bar, all, "pieces");
    for (;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid || (ended < 0 && errno != EINTR)) {
            break;
        }
        rc_progress_show(&bar, count_whole(s, wanted), "by Slurm");
        usleep(LOOK_US);
    }
    rc_progress_end(&bar);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
rc_sweep_submit(const struct rc_study *s, const bool *wanted, int argc, char **argv)
{
    char *array = array_of(s, wanted);
    int in = -1;
    pid_t pid = array ? start_sbatch(s, array, &in) : -1;

    free(array);
    if (pid < 0) {
        perror("simulate: sbatch");
        return -1;
    }
    FILE *script = fdopen(in, "w");
    bool good = script && print_script(script, s, argc, argv);
    if (script) {
        good = fclose(script) == 0 && good;
    } else {
        close(in);
    }
    int status = watch(s, wanted, pid);
    return good ? status : -1;
}
