// What the loop does between two states of the arm: no system call, no allocation. Proved in a
// child process by the kernel, which kills it for any call; the arm is in virtual time and makes
// none either.
//
// Sanitizers make calls and allocations of their own: these tests are of the plain build only.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "control/loop.hpp"
#include "loop_chunk.hpp"
#include "sim_arm.hpp"

using namespace rti;

namespace {

thread_local std::uint64_t allocations = 0;

}  // namespace

// Counts what this binary allocates through new, thread by thread; otherwise the usual thing.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

constexpr int kDied = 1;  // the child's loop ended otherwise than it should
constexpr int kAllocated = 2;
constexpr int kNoFilter = 77;  // this machine has no seccomp

// From here on the kernel kills the process for any system call but its exit, and the clock's where
// a sandbox has no vDSO.
bool allow_nothing_but_the_exit() {
    std::array<sock_filter, 5> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Follows a chunk, splices another into it, and finishes: all that a loop does.
// `before_the_end` runs once in between.
template <class BeforeTheEnd>
int follow_and_finish(BeforeTheEnd before_the_end) {
    const auto region = std::make_unique<rti_region>();
    SimFr3 arm(virtual_time());
    const auto stepper = std::make_unique<Stepper>(StepperConfig{});
    arm.start();
    Loop loop(*region, arm, *stepper);
    RingProducer ring(*region);
    std::vector<rti_action> chunk(30);
    std::uint64_t cycle = 0;

    if (!allow_nothing_but_the_exit()) return kNoFilter;
    const std::uint64_t allocated = allocations;
    const rti_phase outcome = loop.run([&]() noexcept {
        ++cycle;
        if (cycle == 50 || cycle == 150) {
            rti_state now{};
            static_cast<void>(MailboxReader(*region).read(now));
            test::fill_chunk(chunk, now, cycle, 0.15);
            static_cast<void>(ring.push(chunk));
        }
        if (cycle == 300) before_the_end();
        return cycle < 400 ? Request::kFollow : Request::kFinish;
    });
    if (allocations != allocated) return kAllocated;
    return outcome == RTI_PHASE_FINISHED && region->stats.splices == 2 ? 0 : kDied;
}

template <class BeforeTheEnd>
int status_of_child(BeforeTheEnd before_the_end) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(follow_and_finish(before_the_end));
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
}

}  // namespace

TEST_CASE("loop: no system call and no allocation") {
    const int status = status_of_child([]() noexcept {});
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kNoFilter) {
        MESSAGE("this machine has no seccomp filters: not proved here");
        return;
    }
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("loop: the proof above notices a system call and an allocation") {
    const int called = status_of_child([]() noexcept { static_cast<void>(syscall(SYS_getppid)); });
    if (WIFEXITED(called) && WEXITSTATUS(called) == kNoFilter) return;
    CHECK(WIFSIGNALED(called));
    CHECK(WTERMSIG(called) == SIGSYS);

    const int allocated = status_of_child([]() noexcept {
        // In two steps, or the compiler may leave the pair out.
        void* volatile memory = ::operator new(16);
        ::operator delete(memory);
    });
    CHECK(WIFEXITED(allocated));
    CHECK(WEXITSTATUS(allocated) == kAllocated);
}

#endif
