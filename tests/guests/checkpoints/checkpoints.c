// setjmp and longjmp as WASIX has them, without a C library: one test for each name that main is given. What is on the
// stack goes back to what it was, too; what has to outlive a jump is therefore static here. The second
// argument says how many checkpoints to make before: the first ones of a thread are made in another way than the rest.
typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct {
  u64 user, serial, pointer;
} jump;

#define WASIX(name) __attribute__((import_module("wasix_32v1"), import_name(#name)))
WASIX(stack_checkpoint) int stack_checkpoint(void *snapshot, void *result);
WASIX(stack_restore) _Noreturn void stack_restore(void *snapshot, u64 value);
WASIX(proc_fork) int proc_fork(int copy, u32 *pid);
WASIX(proc_join) int proc_join(void *pid, int flags, void *status);
WASIX(proc_exit) _Noreturn void proc_exit(u32 code);
WASIX(proc_signal) int proc_signal(u32 pid, u32 signal);
WASIX(proc_raise_interval) int proc_raise_interval(u32 signal, u64 nanoseconds, int repeat);
WASIX(callback_signal) void callback_signal(const char *name, u32 length);
WASIX(thread_spawn_v2) int thread_spawn(void *start, u32 *tid);
WASIX(thread_join) int thread_join(u32 tid);
WASIX(sched_yield) int sched_yield(void);
WASIX(args_get) int args_get(char **argv, char *data);

#define CHECK(condition)                \
  do {                                  \
    if (!(condition)) proc_exit(__LINE__); \
  } while (0)
#define NOINLINE __attribute__((noinline))

NOINLINE __attribute__((returns_twice)) static int set(jump *to) {
  u64 value = 99;
  int errno = stack_checkpoint(to, &value);
  CHECK(errno == 0);
  return (int)value;
}

static void warm(int count) {
  jump ignored;
  for (int i = 0; i < count; i++) CHECK(set(&ignored) == 0);
}

// Nested, in loops

NOINLINE static void inner(jump *outer, int turn) {
  jump here;
  int value = set(&here);
  if (value < 3) stack_restore(&here, value + 1);
  CHECK(value == 3);
  if (turn % 2) stack_restore(outer, turn + 1);
}

static void nested(void) {
  volatile int turns = 0, jumps = 0;
  for (int turn = 0; turn < 200; turn++) {
    jump outer;
    outer.user = turn;
    int value = set(&outer);
    CHECK(outer.user == (u64)turn);
    if (value) {
      CHECK(value == turn + 1);
      jumps++;
    } else {
      inner(&outer, turn);
    }
    turns++;
  }
  CHECK(turns == 200 && jumps == 100);
}

// Out of a deep recursion, each call with something of its own on the stack

NOINLINE static int descend(jump *up, int depth) {
  volatile char own[64];
  for (int i = 0; i < 64; i++) own[i] = (char)(depth + i);
  jump here;
  if (set(&here)) {
    for (int i = 0; i < 64; i++) CHECK(own[i] == (char)(depth + i));
    stack_restore(up, depth);
  }
  if (depth == 0) stack_restore(&here, 1);
  int result = descend(&here, depth - 1);
  return result + own[0];
}

static void deep(void) {
  for (volatile int depth = 1; depth < 120; depth += 17) {
    jump top;
    int value = set(&top);
    if (value == 0) descend(&top, depth);
    CHECK(value == depth);
  }
}

// The same record with ever larger stacks

NOINLINE static int grow(jump *at, int depth) {
  volatile int own = depth;
  if (depth) return grow(at, depth - 1) + (own == depth);
  return set(at) ? 1000 : 0;
}

static void growing(void) {
  static jump at;
  for (volatile int depth = 0; depth < 300; depth += 7) {
    static volatile int again;
    again = 0;
    int got = grow(&at, depth);
    if (!again) {
      CHECK(got == depth);
      again = 1;
      // Not C, but what a coroutine does: the function has returned, and the copy of its stack is whole.
      stack_restore(&at, 5);
    }
    CHECK(got == 1000 + depth);
  }
}

// Processes

static u32 wait_for(u32 pid) {
  u32 option[2] = {1, pid};
  unsigned char status[8] = {0};
  CHECK(proc_join(option, 0, status) == 0);
  return status[2] | status[3] << 8;
}

static void in_child(void) {
  for (volatile int turn = 0; turn < 3; turn++) {
    u32 pid = 0;
    CHECK(proc_fork(1, &pid) == 0);
    if (pid == 0) {
      nested();
      deep();
      proc_exit(40 + turn);
    }
    nested();
    CHECK(wait_for(pid) == (u32)(40 + turn));
  }
}

static void of_parent(void) {
  jump outer, middle;
  static volatile u32 pid;
  static volatile int forked;
  int value = set(&outer);
  if (value == 2) proc_exit(77);
  if (value == 3) return;
  if (set(&middle) == 1) stack_restore(&outer, 2);
  CHECK(!forked);
  u32 made = 0;
  forked = 1;
  CHECK(proc_fork(1, &made) == 0);
  pid = made;
  if (pid == 0) stack_restore(&middle, 1);
  CHECK(wait_for(pid) == 77);
  stack_restore(&outer, 3);
}

// A generation that comes from another: to what the first of them remembered.
static void of_grandparent(void) {
  jump first;
  static volatile int generation;
  if (set(&first)) proc_exit(60 + generation);
  for (int i = 0; i < 3; i++) {
    u32 pid = 0;
    CHECK(proc_fork(1, &pid) == 0);
    if (pid) {
      u32 code = wait_for(pid);
      CHECK(code == 63);
      proc_exit(generation ? 63 : 0);
    }
    generation = generation + 1;
    warm(40);
  }
  stack_restore(&first, 1);
}

static void borrowed(void) {
  for (int turn = 0; turn < 5; turn++) {
    u32 pid = 0;
    CHECK(proc_fork(0, &pid) == 0);
    if (pid == 0) proc_exit(9);
    CHECK(wait_for(pid) == 9);
    warm(5);
  }
}

// Thousands of records

static jump records[5000];

NOINLINE static void remember(jump *at) {
  volatile char room[48];
  room[0] = 1;
  CHECK(set(at) == 0);
}

static void many(void) {
  jump outer;
  static volatile int turns;
  if (set(&outer) == 4) return;
  CHECK(turns++ == 0);
  for (int i = 0; i < 5000; i++) remember(&records[i]);
  stack_restore(&outer, 4);
}

static void many_alive(void) {
  static volatile int i, back;
  for (i = 0; i < 3000; i++) {
    int value = set(&records[i]);
    if (value) break;
  }
  // Of those that nobody can know to be useless, the newest are kept.
  if (back < 100) {
    back++;
    i = 3000 - back;
    stack_restore(&records[i], i + 7);
  }
  CHECK(i == 2900);
}

static void forgotten(void) {
  for (volatile int i = 0; i < 3000; i++) set(&records[i]);
  stack_restore(&records[500], 1);
}

// Signals

static jump main_loop;
static volatile int mode, handled;

__attribute__((export_name("__wasm_signal"))) void __wasm_signal(int signal) {
  CHECK(signal == 10);
  handled++;
  if (mode == 1) stack_restore(&main_loop, handled);
  if (mode == 2) {
    nested();
    nested();
  }
  if (mode == 3) {
    jump here;
    if (set(&here) == 0) stack_restore(&here, 1);
    stack_restore(&main_loop, handled);
  }
}

static void jumps_from_handler(int how) {
  callback_signal("__wasm_signal", 13);
  mode = how;
  for (volatile int turn = 0; turn < 40; turn++) {
    int value = set(&main_loop);
    if (value == 0) {
      CHECK(proc_signal(0, 10) == 0);
      for (;;) sched_yield();
    }
    CHECK(value == turn + 1);
    warm(3);
  }
}

static void sets_in_handler(void) {
  callback_signal("__wasm_signal", 13);
  mode = 2;
  for (int turn = 0; turn < 5; turn++) {
    CHECK(proc_signal(0, 10) == 0);
    sched_yield();
    CHECK(handled == turn + 1);
    nested();
  }
}

// Signals arrive while the guest is leaving its functions and coming back.
static void storm(void) {
  callback_signal("__wasm_signal", 13);
  CHECK(proc_raise_interval(10, 1000000, 1) == 0);
  volatile int turns = 0;
  while (handled < 25) {
    jump here;
    volatile int own = turns;
    CHECK(grow(&here, 20) == 20);
    CHECK(own == turns);
    turns++;
  }
  CHECK(proc_raise_interval(10, 0, 0) == 0);
}

// As before, with a handler that never comes back.
static void storm_of_jumps(void) {
  callback_signal("__wasm_signal", 13);
  mode = 1;
  set(&main_loop);
  CHECK(proc_raise_interval(10, handled < 25 ? 1000000 : 0, 0) == 0);
  if (handled >= 25) return;
  for (;;) {
    jump here;
    CHECK(grow(&here, 20) == 20);
  }
}

// Threads

static char stack[65536] __attribute__((aligned(16)));
static volatile int finished;

void thread_main(int tid, u32 *start) {
  CHECK(start[1] == 1234);
  nested();
  deep();
  finished = tid;
}

static void second_thread(void) {
  static u32 start[16];
  start[0] = (u32)(stack + sizeof stack);
  start[1] = 1234;
  start[14] = sizeof stack;
  u32 tid;
  CHECK(thread_spawn(start, &tid) == 0);
  nested();
  CHECK(thread_join(tid) == 0);
  CHECK((u32)finished == tid);
}

// Bad pointers

static void bad_pointers(void) {
  jump here;
  u64 value;
  u32 size = __builtin_wasm_memory_size(0) << 16;
  CHECK(stack_checkpoint((void *)(size - 16), &value) == 21);
  CHECK(stack_checkpoint((void *)0xffffffff, &value) == 21);
  CHECK(stack_checkpoint((void *)0xfffffff0, &value) == 21);
  CHECK(stack_checkpoint(&here, (void *)(size - 4)) == 21);
  CHECK(stack_checkpoint(&here, (void *)0xfffffffc) == 21);
  warm(20);
}

static void bad_record(void) {
  jump here = {0x0123456789abcdefull, 0xfedcba9876543210ull, 0x5555555555555555ull};
  stack_restore(&here, 1);
}

static void bad_restore(void) { stack_restore((void *)0xfffffff8, 1); }

static int is(const char *text, const char *name) {
  while (*text && *text == *name) text++, name++;
  return *text == *name;
}

void _start(void) {
  char *argv[8], data[256];
  CHECK(args_get(argv, data) == 0);
  const char *name = argv[1];
  int before = 0;
  for (const char *digit = argv[2]; *digit; digit++) before = before * 10 + *digit - '0';
  warm(before);
  if (is(name, "nested")) nested();
  else if (is(name, "deep")) deep();
  else if (is(name, "growing")) growing();
  else if (is(name, "in-child")) in_child();
  else if (is(name, "of-parent")) of_parent();
  else if (is(name, "of-grandparent")) of_grandparent();
  else if (is(name, "borrowed")) borrowed();
  else if (is(name, "many")) many();
  else if (is(name, "many-alive")) many_alive();
  else if (is(name, "forgotten")) forgotten();
  else if (is(name, "jumps-from-handler")) jumps_from_handler(1);
  else if (is(name, "jumps-twice-from-handler")) jumps_from_handler(3);
  else if (is(name, "sets-in-handler")) sets_in_handler();
  else if (is(name, "storm")) storm();
  else if (is(name, "storm-of-jumps")) storm_of_jumps();
  else if (is(name, "second-thread")) second_thread();
  else if (is(name, "bad-pointers")) bad_pointers();
  else if (is(name, "bad-record")) bad_record();
  else if (is(name, "bad-restore")) bad_restore();
  else proc_exit(1);
}
