#include "control/realtime.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace rti {
namespace {

constexpr std::size_t kStackToTouch_bytes = 256 * 1024;
constexpr std::size_t kPage_bytes =
    4096;  // smaller than any real one only costs a few more touches

std::string error_text(int error) {
    return std::strerror(error);  // NOLINT(concurrency-mt-unsafe): set-up, and the text is copied
}

// Kilobytes of this process that the kernel says are locked: mlockall() answers 0 even where a
// sandbox does nothing about it.
long locked_memory_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        constexpr std::string_view kKey = "VmLck:";
        if (line.compare(0, kKey.size(), kKey) == 0) return std::stol(line.substr(kKey.size()));
    }
    return 0;
}

// Empty where it worked.
std::string lock_memory() {
    // Freed memory stays with the process and comes from one heap, so that it is locked once and
    // for all: man 3 mallopt, man 2 mlockall ("Real-time processes").
    mallopt(M_TRIM_THRESHOLD, -1);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_ARENA_MAX, 1);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return {};
    return "locked memory (" + error_text(errno) + ")";
}

[[gnu::noinline]] void touch_stack() noexcept {
    std::uint8_t stack[kStackToTouch_bytes];
    volatile std::uint8_t* const touched = stack;  // volatile: or it would all be optimised away
    for (std::size_t i = 0; i < kStackToTouch_bytes; i += kPage_bytes) touched[i] = 0;
}

std::string bind_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    int error = EINVAL;
    if (cpu < CPU_SETSIZE) {
        CPU_SET(static_cast<std::size_t>(cpu), &set);
        if (sched_setaffinity(0, sizeof set, &set) == 0) return {};
        error = errno;
    }
    return "Running on CPU " + std::to_string(cpu) + " was refused (" + error_text(error) + ")";
}

std::string schedule(int priority) {
    sched_param param{};
    param.sched_priority = priority;
    // Reset on fork: nothing that this thread starts inherits a priority it was not given.
    const int policy = (priority > 0 ? SCHED_FIFO : SCHED_OTHER) | SCHED_RESET_ON_FORK;
    if (sched_setscheduler(0, policy, &param) == 0) return {};
    return "SCHED_FIFO " + std::to_string(priority) + " (" + error_text(errno) + ")";
}

// What to do about memory or priority that this user may not have: one line for a shell, which
// grants both.
std::string grant_in_words(int priority) {
    return "run `printf '%s - rtprio " + std::to_string(std::max(priority, 1)) +
           "\\n%s - memlock unlimited\\n' \"$USER\" \"$USER\" | sudo tee "
           "/etc/security/limits.d/rt-infer.conf` and log in again";
}

void give_up_priority() noexcept {
    sched_param ordinary{};
    // Cannot be refused: a thread may always give up a priority. RESET_ON_FORK cannot be taken back
    // without privilege, so it stays.
    sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
}

void read_back(RealtimeReport& report) {
    sched_param param{};
    const int policy = sched_getscheduler(0);
    if (policy >= 0 && sched_getparam(0, &param) == 0) {
        report.policy = policy & ~SCHED_RESET_ON_FORK;
        report.priority = param.sched_priority;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1) {
        report.cpu = 0;
        while (!CPU_ISSET(static_cast<std::size_t>(report.cpu), &set)) ++report.cpu;
    }
    report.memory_locked = locked_memory_kb() > 0;
}

// Held open with a latency of 0 µs for as long as the loop runs: kernel documentation,
// admin-guide/pm/cpuidle, "Power Management Quality of Service". Most users may not open it, and a
// virtual machine has no use for it: not worth a refusal.
int hold_cpu_latency() noexcept {
    const int fd = open("/dev/cpu_dma_latency", O_RDWR | O_CLOEXEC);
    if (fd < 0) return -1;
    const std::int32_t latency_us = 0;
    if (write(fd, &latency_us, sizeof latency_us) == sizeof latency_us) return fd;
    close(fd);
    return -1;
}

}  // namespace

RealtimeScope::RealtimeScope(const RealtimeOptions& options) {
    const auto note = [&](const std::string& refusal, std::string_view instead,
                          const std::string& remedy) {
        if (refusal.empty()) return;
        if (options.require) {
            give_up_priority();
            throw RealtimeRefused(refusal + ": " + remedy + ", or run with --rt.require=false");
        }
        report_.refusals.push_back(refusal + ", so " + std::string(instead) + ": " + remedy);
    };
    const std::string memory = lock_memory();
    touch_stack();
    if (options.cpu >= 0) {
        note(bind_to(options.cpu), "the loop runs on any CPU",
             "give --rt.cpu one of the CPUs that `taskset -p $$` allows");
    }
    // Realtime threads have none; an ordinary one would be woken up to 50 µs late.
    prctl(PR_SET_TIMERSLACK, 1UL);
    const std::string priority = schedule(options.priority);
    // One sentence: one remedy grants both.
    const std::string both =
        memory + (memory.empty() || priority.empty() ? "" : " and ") + priority;
    note(both.empty() ? both : "The system refused " + both, "cycles may be late",
         grant_in_words(options.priority));

    cpu_latency_fd_ = hold_cpu_latency();
    report_.cpu_latency_held = cpu_latency_fd_ >= 0;
    read_back(report_);
}

RealtimeScope::~RealtimeScope() {
    give_up_priority();
    if (cpu_latency_fd_ >= 0) close(cpu_latency_fd_);
}

}  // namespace rti
