// Makes the calling thread, and the process around it, fit for a 1 kHz loop.
//
// Set-up only: called once by the thread that will run the loop, after everything that allocates
// and after every other thread has been made (they keep ordinary scheduling and all CPUs). It
// blocks, allocates, and may throw; the loop itself calls nothing here.
//
// The machine may refuse any of it. A refusal is one sentence that says what happened and what to
// do; it is collected in the report, or thrown as RealtimeRefused where RealtimeOptions::require is
// set. What the report says was read back from the kernel, never taken from the request.
//
// For a process of our own: it locks all of its memory and tames its malloc, which would pin
// gigabytes in a process that holds a model.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace rti {

struct RealtimeOptions {
    int priority = 80;     // SCHED_FIFO, 1 … 99; 0 asks for ordinary scheduling
    int cpu = -1;          // the one CPU to run on; -1 leaves the choice to the kernel
    bool require = false;  // a refusal is an error
};

struct RealtimeReport {
    int policy = 0;  // SCHED_OTHER 0, SCHED_FIFO 1
    int priority = 0;
    int cpu = -1;  // the one CPU the thread may run on; -1: more than one
    bool memory_locked = false;
    bool cpu_latency_held = false;  // /dev/cpu_dma_latency: the CPUs stay out of deep sleep
    std::vector<std::string> refusals;
};

class RealtimeRefused : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Holds what was asked for until it is destroyed, by the same thread: then the thread goes back to
// ordinary scheduling and the CPUs may sleep again. Memory stays locked until the process ends.
class RealtimeScope {
  public:
    explicit RealtimeScope(const RealtimeOptions& options);
    ~RealtimeScope();
    RealtimeScope(const RealtimeScope&) = delete;
    RealtimeScope& operator=(const RealtimeScope&) = delete;

    [[nodiscard]] const RealtimeReport& report() const noexcept { return report_; }

  private:
    RealtimeReport report_;
    int cpu_latency_fd_ = -1;
};

}  // namespace rti
