/*
 * The least that the kernel needs for the same mounts, and nothing else: no manifest, no record, no probe, no check.
 *   syscall-baseline tmpfs|loop COUNT THREADS ROOT
 * tmpfs: mkdirs, mount(2). loop: image, LOOP_CTL_GET_FREE, LOOP_CONFIGURE, mkfs.ext4 in a child, mkdirs, mount(2), bind.
 * The directories are those of the kubelet, as moored makes them: a mkdir costs about as much as a mount.
 *
 * Prints times in nanoseconds of CLOCK_MONOTONIC: "volume INDEX START END MKFS", "mounted START END", "cpu NANOSECONDS" (with
 * children). A line on stdin unmounts: "unmounted START END".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IMAGE_BYTES (64 << 20)

struct volume {
  uint64_t start, end, mkfs;
  int loop;
  char device[32], image[4096], global[4096], target[4096];
};

static struct volume *volumes;
static int count, is_loop, loop_control;
static atomic_int next;
static const char *root;

static void die(const char *what, const char *path) {
  fprintf(stderr, "Cannot %s \"%s\": %s\n", what, path, strerror(errno));
  exit(1);
}

static uint64_t nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Each missing directory of an absolute path below the root. */
static void make_directories(const char *path) {
  char part[4096];
  snprintf(part, sizeof part, "%s", path);
  for (char *end = part + strlen(root) + 1; (end = strchr(end, '/')) != NULL; end++) {
    *end = '\0';
    if (mkdir(part, 0750) != 0 && errno != EEXIST) die("make directory", part);
    *end = '/';
  }
  if (mkdir(part, 0750) != 0) die("make directory", part);
}

static void attach(struct volume *volume) {
  struct loop_config config = {.block_size = 512, .info.lo_flags = LO_FLAGS_DIRECT_IO};
  int image = open(volume->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (image < 0 || ftruncate(image, IMAGE_BYTES) != 0) die("make image", volume->image);
  config.fd = (uint32_t)image;
  for (;;) {
    int number = ioctl(loop_control, LOOP_CTL_GET_FREE);
    if (number < 0) die("get a free loop device for", volume->image);
    snprintf(volume->device, sizeof volume->device, "/dev/loop%d", number);
    volume->loop = open(volume->device, O_RDWR | O_CLOEXEC);
    if (volume->loop < 0) die("open", volume->device);
    if (ioctl(volume->loop, LOOP_CONFIGURE, &config) == 0) break;
    /* EBUSY: somebody else was first. */
    if (errno != EBUSY) die("configure", volume->device);
    close(volume->loop);
  }
  close(image);
}

/* The options of the daemon. */
static void make_filesystem(struct volume *volume) {
  extern char **environ;
  char *argv[] = {"mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", volume->device, NULL};
  uint64_t start = nanoseconds();
  pid_t child;
  int status;
  errno = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);
  if (errno != 0) die("start mkfs.ext4 on", volume->device);
  if (waitpid(child, &status, 0) != child || status != 0) die("make ext4 on", volume->device);
  volume->mkfs = nanoseconds() - start;
}

static void make(int index) {
  struct volume *volume = &volumes[index];
  const char *target = is_loop ? "csi/volume/mount" : "empty-dir/data";
  snprintf(volume->target, sizeof volume->target, "%s/pods/%d/volumes/kubernetes.io~%s", root, index, target);
  volume->start = nanoseconds();
  if (is_loop) {
    snprintf(volume->image, sizeof volume->image, "%s/%d.img", root, index);
    snprintf(volume->global, sizeof volume->global, "%s/plugins/kubernetes.io/csi/%d/globalmount", root, index);
    attach(volume);
    make_filesystem(volume);
    make_directories(volume->global);
    make_directories(volume->target);
    if (mount(volume->device, volume->global, "ext4", MS_NOSUID | MS_NODEV, NULL) != 0) die("mount", volume->global);
    if (mount(volume->global, volume->target, NULL, MS_BIND, NULL) != 0) die("bind", volume->target);
    close(volume->loop);
  } else {
    make_directories(volume->target);
    if (mount("tmpfs", volume->target, "tmpfs", MS_NOSUID | MS_NODEV, "size=16777216,mode=777") != 0)
      die("mount", volume->target);
  }
  volume->end = nanoseconds();
}

static void unmake(int index) {
  struct volume *volume = &volumes[index];
  if (umount2(volume->target, UMOUNT_NOFOLLOW) != 0) die("unmount", volume->target);
  if (!is_loop) return;
  if (umount2(volume->global, UMOUNT_NOFOLLOW) != 0) die("unmount", volume->global);
  int loop = open(volume->device, O_RDWR | O_CLOEXEC);
  if (loop < 0 || ioctl(loop, LOOP_CLR_FD) != 0) die("detach", volume->device);
  close(loop);
}

static void *work(void *step) {
  for (int index; (index = atomic_fetch_add(&next, 1)) < count;) (*(void (**)(int))step)(index);
  return NULL;
}

static void run(const char *word, void (*step)(int), int threads) {
  pthread_t others[64];
  uint64_t start = nanoseconds();
  atomic_store(&next, 0);
  for (int i = 1; i < threads; i++)
    if (pthread_create(&others[i], NULL, work, &step) != 0) die("start thread", word);
  work(&step);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  printf("%s %llu %llu\n", word, (unsigned long long)start, (unsigned long long)nanoseconds());
}

static uint64_t cpu(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
         (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  is_loop = strcmp(argv[1], "loop") == 0;
  count = atoi(argv[2]);
  int threads = atoi(argv[3]);
  root = argv[4];
  volumes = calloc((size_t)count, sizeof *volumes);
  if (volumes == NULL || count < 1 || threads < 1 || threads > 64) return 2;
  if (is_loop && (loop_control = open("/dev/loop-control", O_RDWR | O_CLOEXEC)) < 0) die("open", "/dev/loop-control");
  run("mounted", make, threads);
  for (int i = 0; i < count; i++)
    printf("volume %d %llu %llu %llu\n", i, (unsigned long long)volumes[i].start, (unsigned long long)volumes[i].end,
           (unsigned long long)volumes[i].mkfs);
  printf("cpu %llu\n", (unsigned long long)(cpu(RUSAGE_SELF) + cpu(RUSAGE_CHILDREN)));
  puts("ready");
  fflush(stdout);
  getchar();
  run("unmounted", unmake, threads);
  return 0;
}
