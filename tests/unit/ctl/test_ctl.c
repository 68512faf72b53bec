/* reconcilectl against a control socket that answers from a table: what is asked, what is
 * printed, and the exit status. The socket is the daemon's own code, in a child process. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/ctl_main.h"
#include "reconciler/io/control/control.h"

static char dir[] = "/tmp/rc-ctl-XXXXXX";
static char path[64];
static char *out_text;
static char *err_text;

/* Runs `reconcilectl --socket PATH <words>`; the word '' is an empty one. */
static int
ctl(const char *words)
{
    char line[256];
    char *argv[16] = {NULL};
    char *rest = NULL;
    size_t len = 0;
    int argc = 0;

    free(out_text);
    free(err_text);
    FILE *out = open_memstream(&out_text, &len);
    FILE *err = open_memstream(&err_text, &len);
    CU_ASSERT_TRUE_FATAL(out && err);
    snprintf(line, sizeof line, "reconcilectl --socket %s %s", path, words);
    for (char *w = strtok_r(line, " ", &rest); w && argc < 15; w = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
    }
    int status = rc_ctl_run(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return status;
}

static const char status_reply[] =
    "{\"ok\":true,\"daemon\":{\"version\":\"0.1.0\",\"host\":\"head-1\",\"pid\":4711,"
    "\"uptime_ms\":7260000,\"dry_run\":false},"
    "\"lease\":{\"held\":true,\"owner\":\"head-1\",\"epoch\":7,\"left_ms\":22000},\"paused\":false,"
    "\"slurmctld\":{\"primary\":\"head-2\",\"primary_age_ms\":61000,\"failover\":\"watch\","
    "\"link\":\"\",\"controllers\":[{\"host\":\"head-1\",\"primary\":false,\"process\":\"none\","
    "\"seen_here\":\"refused\",\"fenced\":true,\"can_take_over\":true},"
    "{\"host\":\"head-2\",\"primary\":true,\"process\":\"runs\",\"can_take_over\":true}],"
    "\"last_move\":{\"age_ms\":61000,\"text\":\"slurmctld on head-2 is primary now.\"}},"
    "\"policy\":{\"name\":\"p4d\",\"hash\":\"9f3c01d2aa10bb42\",\"age_ms\":7200000,"
    "\"errors\":[\"p4d.json:12:7: name: bad\"]},"
    "\"breaker\":{\"open\":true,\"incidents\":6,\"allowed\":5,\"window_ms\":600000},"
    "\"sources\":[{\"name\":\"slurm\",\"up\":true,\"age_ms\":4000},"
    "{\"name\":\"queue\",\"up\":false,\"age_ms\":95000,\"text\":\"cannot connect\"}],"
    "\"nodes\":{\"total\":16,\"in_service\":13,\"out\":2,\"held\":1,\"allowed_out\":2},"
    "\"messages\":{\"waiting\":0,\"quarantined\":1},"
    "\"incidents\":[{\"id\":12,\"node\":\"gpu-7\",\"fault\":\"instance-gone\",\"age_ms\":250000,"
    "\"phase\":\"launch\",\"phase_age_ms\":62000,\"waits_for\":\"a replacement to be launched\","
    "\"block\":\"budget-cluster\",\"block_text\":\"2 of 2 nodes are out of service by us\"},"
    "{\"id\":13,\"node\":\"gpu-10\",\"fault\":\"node-down\",\"age_ms\":90000000,\"phase\":\"open\","
    "\"phase_age_ms\":900,\"waits_for\":\"limits\",\"block\":\"approval\"}]}";

static const char status_text[] =
    "! the breaker is open: nothing destructive is done; look, then reconcilectl breaker reset\n"
    "! policy not loaded, the last good one is in force: p4d.json:12:7: name: bad\n"
    "! queue fails, for 1m35s: cannot connect\n"
    "! gpu-10 waits for you: reconcilectl why gpu-10, then reconcilectl approve 13\n"
    "daemon    0.1.0 on head-1, up 2h01m\n"
    "lease     held, epoch 7, 22s left\n"
    "slurmctld head-2 is primary, since 1m01s\n"
    "backup    head-1: no slurmctld runs (fenced: only the leader starts it), could take over\n"
    "last move 1m01s ago: slurmctld on head-2 is primary now.\n"
    "policy    p4d (9f3c01d2aa10bb42), loaded 2h00m ago\n"
    "breaker   OPEN, 6 new incidents in 10m00s, opens above 5 in 10m00s\n"
    "sources   slurm ok (4s), queue FAILS (1m35s)\n"
    "nodes     16: 13 in service, 2 out by us (2 allowed), 1 held\n"
    "messages  0 waiting, 1 in quarantine (reconcilectl quarantine list)\n"
    "\n"
    "    ID  NODE    FAULT          OPEN    PHASE   FOR     WAITS FOR\n"
    "    12  gpu-7   instance-gone  4m10s   launch  1m02s   a replacement to be launched\n"
    "        held back by budget-cluster: 2 of 2 nodes are out of service by us\n"
    "    13  gpu-10  node-down      1d01h   open    900ms   limits\n"
    "        held back by approval\n";

static const char unled_reply[] =
    "{\"ok\":true,\"daemon\":{\"host\":\"head-1\"},\"lease\":{\"held\":false,"
    "\"owner\":\"head-1\",\"epoch\":3,\"error\":\"fence of table t: it is gone\"}}";

static const char unled_text[] = "! lease: fence of table t: it is gone\n"
                                 "daemon     on head-1, up ?\n"
                                 "lease     held, but this one does not lead with it, epoch 3\n"
                                 "policy     ()\n"
                                 "breaker   closed, opens above 0 in ?\n"
                                 "sources   \n"
                                 "nodes     0: 0 in service, 0 out by us (0 allowed), 0 held\n"
                                 "messages  0 waiting, 0 in quarantine\n"
                                 "\n"
                                 "no open incident\n";

static const char failover_reply[] =
    "{\"ok\":true,\"slurmctld\":{\"primary\":\"\",\"failover\":\"stop\",\"to\":\"head-2\","
    "\"cause\":\"it does not serve\",\"waits_for\":\"the old one's instance to be seen stopped\","
    "\"block\":\"the old primary cannot be proved dead\",\"link\":\"connection refused\","
    "\"controllers\":[{\"host\":\"head-1\",\"primary\":false,\"process\":\"unknown\","
    "\"seen_here\":\"unreachable\",\"can_take_over\":false,"
    "\"why_not\":\"its instance is off, or being turned off\"}]}}";

static const char failover_text[] =
    "! slurmctld's fail-over does not go on: the old primary cannot be proved dead\n"
    "daemon     on , up ?\n"
    "slurmctld served by nobody that is seen; fail-over to head-2 (it does not serve): waits for "
    "the old one's instance to be seen stopped; peer: connection refused\n"
    "backup    head-1: unreachable, cannot take over: its instance is off, or being turned off\n"
    "policy     ()\n"
    "breaker   closed, opens above 0 in ?\n"
    "sources   \n"
    "nodes     0: 0 in service, 0 out by us (0 allowed), 0 held\n"
    "messages  0 waiting, 0 in quarantine\n"
    "\n"
    "no open incident\n";

static const char why_reply[] =
    "{\"ok\":true,\"node\":{\"name\":\"gpu-7\",\"partition\":\"gpu\",\"group\":\"p4d\","
    "\"zone\":\"us-east-1a\",\"in_service\":false,\"held_by\":\"alice\",\"slurm\":\"down,drain\","
    "\"jobs\":1,\"reason\":\"rc:12 \\u001b[31mgone\",\"reason_owner\":\"ours\","
    "\"address\":\"10.0.1.7\",\"seen_ms\":4000,\"instance\":\"i-0abc\","
    "\"instance_state\":\"terminated\",\"repairs\":1,\"repairs_max\":3,"
    "\"repairs_window_ms\":86400000},"
    "\"incident\":{\"id\":12,\"fault\":\"node-down\",\"code\":\"terminated\",\"rule\":\"node-down\","
    "\"age_ms\":250000,\"phase\":\"launch\",\"phase_age_ms\":62000,"
    "\"waits_for\":\"a replacement to be launched\","
    "\"ladder\":[\"reboot\",\"replace\",\"quarantine\"],\"rung\":1,\"tries\":1,\"tries_max\":2,"
    "\"old_instance\":\"i-0abc\",\"deadline_ms\":80000,\"approved\":true},"
    "\"held_back\":[{\"by\":\"operator-hold\",\"text\":\"by alice\"}],"
    "\"evidence\":[{\"age_ms\":250000,\"text\":\"ec2-state-change i-0abc terminated\"},"
    "{\"age_ms\":240000,\"text\":\"slurm-node not responding\"}]}";

static const char why_text[] =
    "gpu-7: OUT OF SERVICE (partition gpu, group p4d, us-east-1a)\n"
    "  hold       by alice: left alone until reconcilectl release gpu-7\n"
    "  slurm      down,drain, 1 job, seen 4s ago\n"
    "  reason     rc:12 ?[31mgone (ours)\n"
    "  instance   i-0abc terminated, address 10.0.1.7\n"
    "  repairs    1 of 3 in 1d00h\n"
    "\n"
    "incident 12: node-down (terminated), open for 4m10s\n"
    "  rule       node-down\n"
    "  ladder     (reboot) -> replace [try 1 of 2] -> quarantine\n"
    "  phase      launch, for 1m02s: waits for a replacement to be launched\n"
    "  instances  i-0abc -> none yet\n"
    "  deadline   AWS acts in 1m20s\n"
    "  approved   yes\n"
    "  held back  by operator-hold: by alice\n"
    "             to end that: reconcilectl release NODE\n"
    "  evidence   4m10s ago: ec2-state-change i-0abc terminated\n"
    "             4m00s ago: slurm-node not responding\n";

/* What is typed, what the daemon must be asked, what it answers, what is printed. */
static const struct exchange {
    const char *name;
    const char *words;
    const char *request;
    const char *reply;
    int status;
    const char *out;
    const char *err;
} exchanges[] = {
    {"status shows first what needs a person", "status", "{\"cmd\":\"status\"}", status_reply, 0,
     status_text, ""},
    {"status tells a fail-over under way, and what holds it up", "status", "{\"cmd\":\"status\"}",
     failover_reply, 0, failover_text, ""},
    {"status of one that holds the lease and may not act", "status", "{\"cmd\":\"status\"}",
     unled_reply, 0, unled_text, ""},
    {"why tells the whole story of a node", "why gpu-7", "{\"cmd\":\"why\",\"node\":\"gpu-7\"}",
     why_reply, 0, why_text, ""},
    {"why of a sound node is short", "why gpu-8", "{\"cmd\":\"why\",\"node\":\"gpu-8\"}",
     "{\"ok\":true,\"node\":{\"name\":\"gpu-8\",\"partition\":\"gpu\",\"group\":\"p4d\",\"zone\":\"z\",\"in_service\":true,\"slurm\":\"idle\",\"seen_ms\":10,\"instance\":\"i-1\",\"instance_state\":\"running\"}}",
     0,
     "gpu-8: in service (partition gpu, group p4d, z)\n  slurm      idle, 0 jobs, seen 10ms ago\n  instance   i-1 running\n\nno open incident\n",
     ""},
    {"an unknown node is refused", "why gpu-99", "{\"cmd\":\"why\",\"node\":\"gpu-99\"}",
     "{\"ok\":false,\"error\":\"not-found\",\"text\":\"no such node: gpu-99\"}", 1, "",
     "reconcilectl: no such node: gpu-99 (not-found)\n"},
    {"hold", "hold gpu-7", "{\"cmd\":\"hold\",\"node\":\"gpu-7\"}",
     "{\"ok\":true,\"text\":\"gpu-7 is held by root\"}", 0, "gpu-7 is held by root\n", ""},
    {"release", "release gpu-7", "{\"cmd\":\"release\",\"node\":\"gpu-7\"}", "{\"ok\":true}", 0,
     "done\n", ""},
    {"approve", "approve 12", "{\"cmd\":\"approve\",\"incident\":12}",
     "{\"ok\":true,\"text\":\"goes on\"}", 0, "goes on\n", ""},
    {"pause", "pause", "{\"cmd\":\"pause\"}", "{\"ok\":true,\"text\":\"paused\"}", 0, "paused\n",
     ""},
    {"resume", "resume", "{\"cmd\":\"resume\"}", "{\"ok\":true,\"text\":\"acts\"}", 0, "acts\n",
     ""},
    {"breaker reset", "breaker reset", "{\"cmd\":\"breaker-reset\"}",
     "{\"ok\":false,\"error\":\"wrong-state\",\"text\":\"the breaker is closed\"}", 1, "",
     "reconcilectl: the breaker is closed (wrong-state)\n"},
    {"quarantine list", "quarantine list", "{\"cmd\":\"quarantine-list\"}",
     "{\"ok\":true,\"messages\":[{\"id\":7,\"age_ms\":3600000,\"reason\":\"not JSON\",\"body\":\"{\\n\",\"bytes\":2}],\"more\":3}",
     0,
     "7  1h00m ago  not JSON\n    {? (2 bytes)\nand 3 more\ngive one back to the daemon: reconcilectl quarantine replay ID (or: all)\n",
     ""},
    {"an empty quarantine", "quarantine list", "{\"cmd\":\"quarantine-list\"}",
     "{\"ok\":true,\"messages\":[]}", 0, "no message in quarantine\n", ""},
    {"quarantine replay of one", "quarantine replay 7", "{\"cmd\":\"quarantine-replay\",\"id\":7}",
     "{\"ok\":true,\"text\":\"1 given back\"}", 0, "1 given back\n", ""},
    {"quarantine replay of all", "quarantine replay all",
     "{\"cmd\":\"quarantine-replay\",\"all\":true}", "{\"ok\":true,\"text\":\"2 given back\"}", 0,
     "2 given back\n", ""},
    {"--json gives the reply as it is", "--json pause", "{\"cmd\":\"pause\"}",
     "{\"ok\":true,\"text\":\"a\\nb\"}", 0, "{\"ok\":true,\"text\":\"a\\nb\"}\n", ""},
    {"--json behind the command", "hold gpu-1 --json", "{\"cmd\":\"hold\",\"node\":\"gpu-1\"}",
     "{\"ok\":false,\"error\":\"no-lease\",\"text\":\"x\"}", 1,
     "{\"ok\":false,\"error\":\"no-lease\",\"text\":\"x\"}\n", ""},
    {"a reply without any member does no harm", "status", "{\"cmd\":\"status\"}", "{\"ok\":true}",
     0,
     "daemon     on , up ?\npolicy     ()\nbreaker   closed, opens above 0 in ?\nsources   \nnodes     0: 0 in service, 0 out by us (0 allowed), 0 held\nmessages  0 waiting, 0 in quarantine\n\nno open incident\n",
     ""},
};

/* Answers the exchange whose request this is, else names the request. */
static struct cJSON *
answer(void *arg, const struct rc_control_peer *peer, const struct cJSON *request)
{
    char *text = cJSON_PrintUnformatted(request);
    const struct exchange *x = arg;
    cJSON *reply = NULL;

    (void)peer;
    reply = text && strcmp(text, x->request) == 0 ? cJSON_Parse(x->reply)
                                                  : rc_control_refuse(RC_E_INVALID, "%s", text);
    cJSON_free(text);
    return reply;
}

/* The order is taken; asked for its status it moves on from answer to answer. */
static struct cJSON *
answer_moving(void *arg, const struct rc_control_peer *peer, const struct cJSON *request)
{
    static const char *const steps[] = {
        "{\"ok\":true,\"slurmctld\":{\"primary\":\"head-1\",\"failover\":\"watch\"}}",
        "{\"ok\":true,\"slurmctld\":{\"primary\":\"\",\"failover\":\"fence\",\"waits_for\":\"the proof\"}}",
        "{\"ok\":true,\"slurmctld\":{\"primary\":\"\",\"failover\":\"fence\",\"waits_for\":\"the proof\"}}",
        /* in brackets: one text in two pieces */
        ("{\"ok\":true,\"slurmctld\":{\"primary\":\"head-2\",\"failover\":\"watch\","
         "\"last_move\":{\"age_ms\":1,\"text\":\"It was safe because it was.\"}}}"),
    };
    static unsigned asked;
    const char *cmd = cJSON_GetStringValue(cJSON_GetObjectItem(request, "cmd"));

    (void)arg;
    (void)peer;
    if (cmd && strcmp(cmd, "failover") == 0) {
        return cJSON_Parse("{\"ok\":true,\"text\":\"it moves\",\"to\":\"head-2\"}");
    }
    return cJSON_Parse(steps[asked < 3 ? asked++ : 3]);
}

/* A daemon that answers one exchange, in a child; returns when it listens. */
static pid_t
start_daemon_with(rc_control_handler *handler, const struct exchange *x)
{
    static struct exchange given;
    int ready[2];
    char byte = 0;

    given = x ? *x : given;
    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rc_control_options options = {
            .path = path, .mode = 0600, .group = "", .handler = handler, .arg = &given};
        struct event_base *base = event_base_new();
        struct rc_control *control = NULL;
        if (rc_control_new(base, &options, &control, NULL) == RC_OK &&
            write(ready[1], "x", 1) == 1) {
            event_base_dispatch(base);
        }
        _exit(1);
    }
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static pid_t
start_daemon(const struct exchange *x)
{
    return start_daemon_with(answer, x);
}

static void
stop_daemon(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void
every_command_asks_and_shows(void)
{
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        const struct exchange *x = &exchanges[i];
        pid_t pid = start_daemon(x);
        int status = ctl(x->words);
        stop_daemon(pid);
        rc_case(status == x->status && strcmp(out_text, x->out) == 0 &&
                    strcmp(err_text, x->err) == 0,
                x->name, "status %d\n%s\n%s", status, out_text, err_text);
    }
}

static void
a_failover_is_watched_until_it_is_done(void)
{
    pid_t pid = start_daemon_with(answer_moving, NULL);
    int status = ctl("failover --to head-2");

    stop_daemon(pid);
    CU_ASSERT_EQUAL(status, RC_CTL_OK);
    CU_ASSERT_STRING_EQUAL(out_text,
                           "it moves\nwaits for the proof\nIt was safe because it was.\n");
    CU_ASSERT_STRING_EQUAL(err_text, "");
}

static void
wrong_usage_asks_nobody(void)
{
    static const struct {
        const char *words;
        const char *err;
    } rows[] = {
        {"statsu", "reconcilectl: no such command: statsu; see reconcilectl --help\n"},
        {"breaker", "reconcilectl: no such command: breaker; see reconcilectl --help\n"},
        {"breaker close",
         "reconcilectl: no such command: breaker close; see reconcilectl --help\n"},
        {"why", "reconcilectl: why: expected NODE; see reconcilectl --help\n"},
        {"why a b", "reconcilectl: why: expected NODE; see reconcilectl --help\n"},
        {"pause now", "reconcilectl: pause: expected nothing more; see reconcilectl --help\n"},
        {"approve twelve",
         "reconcilectl: approve: expected INCIDENT, got \"twelve\"; see reconcilectl --help\n"},
        {"approve 0",
         "reconcilectl: approve: expected INCIDENT, got \"0\"; see reconcilectl --help\n"},
        {"approve 4294967296",
         "reconcilectl: approve: expected INCIDENT, got \"4294967296\"; see reconcilectl --help\n"},
        {"quarantine replay -1",
         "reconcilectl: quarantine replay: expected ID|all, got \"-1\"; see reconcilectl --help\n"},
        {"failover --to ''",
         "reconcilectl: failover: expected [--to HOST] [--dry-run], got \"--to\" without a host; "
         "see reconcilectl --help\n"},
        {"failover --to",
         "reconcilectl: failover: expected [--to HOST] [--dry-run], got \"--to\" without a host; "
         "see reconcilectl --help\n"},
        {"policy",
         "reconcilectl: policy: expected check FILE, test DIR, or schema; see reconcilectl --help\n"},
        {"--loud status",
         "reconcilectl: unknown option, or one without its value: --loud; see reconcilectl --help\n"},
        {"--socket",
         "reconcilectl: unknown option, or one without its value: --socket; see reconcilectl --help\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = ctl(rows[i].words);
        rc_case(status == RC_CTL_USAGE && strcmp(err_text, rows[i].err) == 0 && !*out_text,
                rows[i].words, "status %d: %s", status, err_text);
    }
    CU_ASSERT_EQUAL(ctl(""), RC_CTL_USAGE);
    CU_ASSERT_EQUAL(strncmp(err_text, "usage: reconcilectl", 19), 0);
    CU_ASSERT_EQUAL(ctl("--help"), RC_CTL_OK);
    CU_ASSERT_EQUAL(strncmp(out_text, "usage: reconcilectl", 19), 0);
}

static void
a_daemon_that_is_not_there_is_status_3(void)
{
    unlink(path);
    CU_ASSERT_EQUAL(ctl("status"), RC_CTL_NO_DAEMON);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "No such file or directory"));
    CU_ASSERT_EQUAL(ctl("--json status"), RC_CTL_NO_DAEMON);
    CU_ASSERT_STRING_EQUAL(out_text, "");
}

/* Stopped, it takes the call and says nothing. */
static void
a_daemon_that_does_not_answer_is_named_after_5_s(void)
{
    char host[65] = "", named[160];
    pid_t pid = start_daemon(&exchanges[0]);
    time_t before = time(NULL);

    CU_ASSERT_EQUAL(kill(pid, SIGSTOP), 0);
    CU_ASSERT_EQUAL(ctl("status"), RC_CTL_NO_DAEMON);
    CU_ASSERT_TRUE(time(NULL) - before < 15);
    CU_ASSERT_EQUAL(gethostname(host, sizeof host - 1), 0);
    snprintf(named, sizeof named, "the daemon on %s did not answer within 5 s", host);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, named));
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, path));
    stop_daemon(pid);
}

/* A listener that says this and hangs up. */
static void
ask_a_stranger(const char *says, const char *want)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink(path);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char request[256];
        int peer = accept(fd, NULL, NULL);
        bool is_good = recv(peer, request, sizeof request, 0) > 0 &&
                       send(peer, says, strlen(says), MSG_NOSIGNAL) == (ssize_t)strlen(says);
        _exit(is_good ? 0 : 1);
    }
    close(fd);
    CU_ASSERT_EQUAL(ctl("status"), RC_CTL_NO_DAEMON);
    waitpid(pid, NULL, 0);
    CU_ASSERT_STRING_EQUAL(err_text, want);
}

static void
an_answer_that_cannot_be_read_is_status_3(void)
{
    ask_a_stranger("{\"ok\":tr", "reconcilectl: the daemon hung up without an answer\n");
    ask_a_stranger("hello\n", "reconcilectl: the daemon's answer cannot be read\n");
    ask_a_stranger("{\"fine\":true}\n", "reconcilectl: the daemon's answer cannot be read\n");
    unlink(path);
}

static void
policy_check_tells_good_from_bad(void)
{
    char file[80];
    char words[128];

    CU_ASSERT_EQUAL(ctl("policy check policies/p4d.json"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "policies/p4d.json: good: policy p4d, "));
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "reboot -> replace (2 times) -> quarantine"));
    snprintf(file, sizeof file, "%s/bad.json", dir);
    FILE *f = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs("{\"name\": 1,\n \"limit\": {}}", f);
    fclose(f);
    snprintf(words, sizeof words, "policy check %s", file);
    CU_ASSERT_EQUAL(ctl(words), 1);
    CU_ASSERT_STRING_EQUAL(out_text, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "/bad.json:1:10: name: expected a name of 1 to 39"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(err_text, "/bad.json:2:2: limit: unknown key; did you mean \"limits\"?\n"));
    snprintf(words, sizeof words, "policy check --json %s", file);
    CU_ASSERT_EQUAL(ctl(words), 1);
    cJSON *result = cJSON_Parse(out_text);
    CU_ASSERT_TRUE(cJSON_IsFalse(cJSON_GetObjectItem(result, "ok")));
    CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(result, "errors")), 3);
    cJSON_Delete(result);
    unlink(file);
    CU_ASSERT_EQUAL(ctl("policy check /nowhere.json"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "cannot be opened"));
}

static void
policy_test_tells_what_another_policy_would_do(void)
{
    const char *const story = "policy test simulator/incidents/short-silence";
    char file[80], words[200];

    CU_ASSERT_EQUAL(ctl(story), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "1 of 1 as expected"));
    snprintf(file, sizeof file, "%s/hasty.json", dir);
    FILE *f = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs("{\"name\": \"hasty\", \"rules\": [{\"name\": \"all\", \"ladder\": [{\"rung\": "
          "\"reboot\"}]}]}",
          f);
    fclose(f);
    snprintf(words, sizeof words, "%s --policy %s", story, file);
    CU_ASSERT_EQUAL(ctl(words), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "incident 1 opens: node-down"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "0 of 1 as expected"));
    unlink(file);
    CU_ASSERT_EQUAL(ctl("policy test"), 2);
    CU_ASSERT_EQUAL(ctl("policy test --flavour x"), 2);
    CU_ASSERT_EQUAL(ctl("policy test /nowhere"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(err_text, "/nowhere: cannot be read"));
}

static void
policy_test_without_what_is_expected_is_status_2(void)
{
    char folder[80], file[100], words[200];

    snprintf(folder, sizeof folder, "%s/story", dir);
    snprintf(file, sizeof file, "%s/story.txt", folder);
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0700), 0);
    FILE *f = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs("+1s end\n", f);
    fclose(f);
    snprintf(words, sizeof words, "policy test %s --policy policies/p4d.json", folder);
    CU_ASSERT_EQUAL(ctl(words), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "expected.txt: cannot be read; --rewrite makes it"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out_text, "FAILED"));
    unlink(file);
    rmdir(folder);
}

static void
policy_schema_is_the_shipped_one(void)
{
    char *shipped = rc_test_read_file("policies/schema.json", NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(shipped);
    CU_ASSERT_EQUAL(ctl("policy schema"), 0);
    CU_ASSERT_STRING_EQUAL(out_text, shipped);
    free(shipped);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every command asks and shows", every_command_asks_and_shows},
        {"a daemon that does not answer is named after 5 s",
         a_daemon_that_does_not_answer_is_named_after_5_s},
        {"a fail-over is watched until it is done", a_failover_is_watched_until_it_is_done},
        {"wrong usage asks nobody", wrong_usage_asks_nobody},
        {"a daemon that is not there is status 3", a_daemon_that_is_not_there_is_status_3},
        {"an answer that cannot be read is status 3", an_answer_that_cannot_be_read_is_status_3},
        {"policy check tells good from bad", policy_check_tells_good_from_bad},
        {"policy test tells what another policy would do",
         policy_test_tells_what_another_policy_would_do},
        {"policy test without what is expected is status 2",
         policy_test_without_what_is_expected_is_status_2},
        {"policy schema is the shipped one", policy_schema_is_the_shipped_one},
        CU_TEST_INFO_NULL,
    };
    if (!mkdtemp(dir)) {
        return 2;
    }
    snprintf(path, sizeof path, "%s/s", dir);
    int status = rc_test_main("ctl", tests);
    unlink(path);
    rmdir(dir);
    free(out_text);
    free(err_text);
    return status;
}
