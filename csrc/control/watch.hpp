// The thread that watches over the network process, and tells the loop what to do without it.
//
// The heartbeat pipe carries one byte a message: 'h' alive, 'p' alive and paused, 'f' finish.
//   'h'                     → Request::kFollow
//   'p'                     → Request::kRest, until an 'h' comes
//   nothing for stale_after → Request::kRest, until an 'h' comes
//   'f', or end of file     → Request::kFinish, for good: asked for, or the network process is gone
//   SIGTERM (where blocked) → Request::kFinish, for good
// Of bytes that are read together 'f' counts before 'p', and 'p' before 'h': a short pause is never
// passed over, and the next heartbeat ends it.
//
// Threads. The thread belongs to this object and is of ordinary priority: make it before the loop's
// thread asks for more. The one thing shared is the atomic request: written here, read by the loop
// once a cycle. Destroy it from any thread but its own; that ends the thread.
#pragma once

#include <atomic>
#include <chrono>
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

    // relaxed: the request is the whole message, nothing else is read because of it.
    [[nodiscard]] Request request() const noexcept {
        return request_.load(std::memory_order_relaxed);
    }

  private:
    void run() noexcept;
    void take_heartbeat() noexcept;
    void ask(Request request) noexcept;

    const int heartbeat_fd_;
    const std::chrono::milliseconds stale_after_;
    int wake_fd_;        // eventfd: the destructor's word to the thread
    int signal_fd_;      // signalfd of SIGTERM
    bool gone_ = false;  // the thread's own: nothing more will come through the pipe
    std::chrono::steady_clock::time_point last_byte_;  // the thread's own
    std::atomic<Request> request_{Request::kFollow};
    std::thread thread_;
};

}  // namespace rti
