// Kills a writer at each of its stores in turn.
//
// The writer runs in a forked child that shares the region. After its k-th store it stops itself
// with SIGSTOP; the parent, woken by waitpid, looks at what a reader sees while the writer hangs
// there, kills it with SIGKILL, and looks again. No clock and no polling: each k stops at exactly
// one store. k rises until the writer finishes without having been stopped.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "memory/spsc_ring.hpp"

namespace rti {

// The probe of the classes in csrc/memory: counts down over all its copies, stops the process at 0.
class StopAtStore {
  public:
    explicit StopAtStore(int* remaining) noexcept : remaining_(remaining) {}
    void operator()() noexcept {
        if (--*remaining_ == 0) raise(SIGSTOP);
    }

  private:
    int* remaining_;
};

// A push as PublishLast does it, word by word, with a stop after each word and after the index.
class StoppingSteps {
  public:
    explicit StoppingSteps(StopAtStore stop) noexcept : stop_(stop) {}

    template <class Record>
    void copy(Record* to, const Record* from, std::size_t count) noexcept {
        auto* target = reinterpret_cast<char*>(to);
        const auto* source = reinterpret_cast<const char*>(from);
        for (std::size_t at = 0; at < count * sizeof(Record); at += sizeof(std::uint64_t)) {
            std::memcpy(target + at, source + at, sizeof(std::uint64_t));
            stop_();
        }
    }
    template <class Fill, class Publish>
    void in_order(Fill fill, Publish publish) noexcept {
        PublishLast().in_order(fill, [&]() noexcept {
            publish();
            stop_();
        });
    }

  protected:
    StopAtStore stop_;
};

enum class Writer { kKilled, kFinished, kBroken };

// Runs write(StopAtStore) in a child that stops at its k-th store, calls look() while it is
// stopped there, and kills it. kFinished: it made fewer than k stores.
template <class Write, class Look>
[[nodiscard]] Writer kill_at_store(int k, Write write, Look look) {
    std::fflush(nullptr);  // or the child would print it once more
    const pid_t child = fork();
    if (child == 0) {
        int remaining = k;
        write(StopAtStore(&remaining));
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, WUNTRACED) != child) return Writer::kBroken;
    if (!WIFSTOPPED(status)) {
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Writer::kFinished : Writer::kBroken;
    }
    look();
    kill(child, SIGKILL);
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) return Writer::kBroken;
    return Writer::kKilled;
}

}  // namespace rti
