// The thread that watches over the network process, and tells the loop what to do without it.
//
// The heartbeat pipe carries one byte a message: 'h' alive, 'p' alive and paused, 'f' finish.
//   'h'                     → Request::kFollow
//   'p'                     → Request::kRest, until an 'h' comes
//   nothing for stale_after → Request::kRest, until an 'h' comes
//   'f', or end of file     → Request::kFinish, for good: asked for, or the network process is gone
//   SIGTERM (where blocked) → Request::kFinish, for good
// Of bytes that are read together 'f' counts before 'p', and 'p' before 'h'; and a rest that was
// asked for stands until the loop has heard of it. So a pause is never passed over, however short.
//
// Threads. The thread belongs to this object and is of ordinary priority: make it before the loop's
// thread asks for more. The one thing shared is the atomic word: written here, read by the loop
// once a cycle. Destroy it from any thread but its own; that ends the thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "control/stepper.hpp"

namespace rti {

class Watch {
  public:
    static constexpr std::chrono::milliseconds kStaleAfter{500};

    // Borrows the read end of the pipe. Throws std::system_error where the kernel has no descriptor
    // or no thread left.
    explicit Watch(int heartbeat_fd, std::chrono::milliseconds stale_after = kStaleAfter);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Of the loop's thread: what is asked for now, or a rest that it has not heard of yet.
    [[nodiscard]] Request request() noexcept {
        // relaxed: the word is the whole message, nothing else is read because of it.
        const std::uint32_t word = word_.load(std::memory_order_relaxed);
        const bool rested = word / kOneRest != heard_;
        heard_ = word / kOneRest;
        const Request now = request_in(word);
        return rested && now == Request::kFollow ? Request::kRest : now;
    }

  private:
    void run() noexcept;
    void take_heartbeat() noexcept;
    void ask(Request request) noexcept;

    // The word: what is asked for in the low bits, how often that has become rest above them.
    static constexpr std::uint32_t kOneRest = 4;
    static Request request_in(std::uint32_t word) noexcept {
        return static_cast<Request>(word % kOneRest);
    }

    const int heartbeat_fd_;
    const std::chrono::milliseconds stale_after_;
    int wake_fd_;        // eventfd: the destructor's word to the thread
    int signal_fd_;      // signalfd of SIGTERM
    bool gone_ = false;  // the thread's own: nothing more will come through the pipe
    std::chrono::steady_clock::time_point last_byte_;  // the thread's own
    std::atomic<std::uint32_t> word_{static_cast<std::uint32_t>(Request::kFollow)};
    std::uint32_t heard_ = 0;  // the loop's own: the rests it has heard of
    std::thread thread_;
};

}  // namespace rti
