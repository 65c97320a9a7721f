/*
 * Stands in for registry.k8s.io/pause: it waits, reaps orphans, and ends with 0 when it is told to by SIGINT or SIGTERM.
 * The exit code matters: a pod of a Job whose container ends with 0 has succeeded, whatever it was ended for.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

static void reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(void) {
  struct sigaction action = {.sa_handler = end};
  if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0) {
    return 1;
  }
  action.sa_handler = reap;
  action.sa_flags = SA_NOCLDSTOP;
  if (sigaction(SIGCHLD, &action, NULL) != 0) {
    return 1;
  }
  for (;;) {
    pause();
  }
}
