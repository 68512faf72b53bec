/* controller_process.c - the processes of slurmctld on this host, by /proc. A pid file
 * is not asked: it may be old, missing, or of another one. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/io/controller/controller_helper.h"

enum { LOOK_AGAIN_MS = 20 };

/* Name and state letter of a process; false when it is gone. proc(5): the name stands in
 * parentheses and may hold any byte. */
static bool
read_stat(const char *pid, char *name, size_t room, char *ret_state)
{
    char path[64], text[512];
    bool good = false;

    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f) {
        return false;
    }
    size_t len = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[len] = '\0';
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (open && close && close > open && close[1] == ' ') {
        *close = '\0';
        (void)snprintf(name, room, "%s", open + 1);
        *ret_state = close[2];
        good = true;
    }
    return good;
}

static uint32_t
state_of(char letter)
{
    switch (letter) {
    case 'T':
    case 't':
        return RC_PROC_STOPPED;
    case 'D':
        return RC_PROC_STUCK;
    default:
        return RC_PROC_RUNS;
    }
}

void
rc_ctl_processes_find(struct rc_ctl_processes *ret)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    char name[64], letter;

    memset(ret, 0, sizeof *ret);
    ret->state = proc ? RC_PROC_NONE : RC_PROC_UNKNOWN;
    while (proc && (entry = readdir(proc)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]) ||
            !read_stat(entry->d_name, name, sizeof name, &letter)) {
            continue;
        }
        /* The last is systemd's child, by the end of the name, before the program runs. */
        if ((strcmp(name, "slurmctld") != 0 && strcmp(name, "slurmscriptd") != 0 &&
             strcmp(name, "(lurmctld)") != 0) ||
            letter == 'Z' || letter == 'X' || ret->count == RC_CTL_PIDS_MAX) {
            continue;
        }
        ret->pid[ret->count++] = (pid_t)strtol(entry->d_name, NULL, 10);
        uint32_t state = state_of(letter);
        ret->state = state > ret->state ? state : ret->state;
    }
    if (proc) {
        (void)closedir(proc);
    }
}

void
rc_ctl_processes_signal(const struct rc_ctl_processes *p, int signal)
{
    for (uint32_t i = 0; i < p->count; i++) {
        (void)kill(p->pid[i], signal);
    }
}

bool
rc_ctl_processes_wait_gone(int64_t timeout_ms, struct rc_ctl_processes *ret)
{
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};

    for (int64_t left_ms = timeout_ms;; left_ms -= LOOK_AGAIN_MS) {
        rc_ctl_processes_find(ret);
        if (ret->state == RC_PROC_NONE) {
            return true;
        }
        if (left_ms <= 0) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
}
