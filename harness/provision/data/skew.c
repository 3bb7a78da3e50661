/* A wall clock that is wrong by HARNESS_SKEW_S seconds, for one process: loaded by LD_PRELOAD.
 *
 * Only CLOCK_REALTIME and what is told in it are shifted. Monotonic clocks are never touched, so
 * that time-outs and sleeps take as long as they should. A moment given in wall-clock time (the
 * deadline of a wait) is shifted back before the kernel sees it; it is told from one of the
 * monotonic clock by its size, because no machine has been up for 30 years.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

#define WALL_CLOCK_FROM_S 1000000000

static long skew_s;

__attribute__((constructor)) static void read_skew(void)
{
    const char *given = getenv("HARNESS_SKEW_S");
    skew_s = given == NULL ? 0 : atol(given);
}

/* glibc keeps several versions of the waits on a condition; clients are linked against this one. */
static void *next(const char *name)
{
#if defined(__GLIBC__) && defined(__x86_64__)
    void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    if (found != NULL)
        return found;
#endif
    return dlsym(RTLD_NEXT, name);
}

#define NEXT(function) \
    static __typeof__(&function) real; \
    if (real == NULL) \
        real = (__typeof__(&function))next(#function)

static int is_wall_clock(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static const struct timespec *true_moment(const struct timespec *told, struct timespec *moment)
{
    if (told == NULL || told->tv_sec < WALL_CLOCK_FROM_S)
        return told;
    *moment = *told;
    moment->tv_sec -= skew_s;
    return moment;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    NEXT(clock_gettime);
    int answer = real(clock, now);
    if (answer == 0 && is_wall_clock(clock))
        now->tv_sec += skew_s;
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    NEXT(gettimeofday);
    int answer = real(now, zone);
    if (answer == 0)
        now->tv_sec += skew_s;
    return answer;
}

time_t time(time_t *where)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where != NULL)
        *where = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    NEXT(clock_nanosleep);
    struct timespec moment;
    if ((flags & TIMER_ABSTIME) && is_wall_clock(clock))
        until = true_moment(until, &moment);
    return real(clock, flags, until, left);
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    NEXT(pthread_cond_timedwait);
    struct timespec moment;
    return real(cond, mutex, true_moment(until, &moment));
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    NEXT(pthread_mutex_timedlock);
    struct timespec moment;
    return real(mutex, true_moment(until, &moment));
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until)
{
    NEXT(sem_timedwait);
    struct timespec moment;
    return real(sem, true_moment(until, &moment));
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    NEXT(cnd_timedwait);
    struct timespec moment;
    return real(cond, mutex, true_moment(until, &moment));
}

int mtx_timedlock(mtx_t *restrict mutex, const struct timespec *restrict until)
{
    NEXT(mtx_timedlock);
    struct timespec moment;
    return real(mutex, true_moment(until, &moment));
}
