#include "control/core.hpp"

#include <memory>

#include "control/loop.hpp"
#include "control/monotonic.hpp"
#include "control/statistics.hpp"
#include "control/watch.hpp"

namespace rti {

rti_phase run_core(rti_region& region, int heartbeat_fd, Arm& arm, const CoreOptions& options,
                   const std::function<void(const std::string&)>& tell) {
    // Before the priority: this thread must not inherit it, and should be able to run anywhere.
    Watch watch(heartbeat_fd);
    const auto stepper =
        std::make_unique<Stepper>(options.motion);  // chunks of it: too big for a stack
    Statistics statistics(region.stats);

    // Before the arm starts: locking memory takes longer than an arm waits for its first command.
    const RealtimeScope realtime(options.realtime);
    for (const std::string& refusal : realtime.report().refusals) tell(refusal);
    statistics.scheduling(realtime.report());

    arm.start();
    Loop loop(region, arm, *stepper);
    monotonic_ns();  // maps the vDSO's data page, which no lock can
    const PageFaults before = PageFaults::of_this_thread();
    const rti_phase outcome = loop.run([&watch]() noexcept { return watch.request(); });
    statistics.page_faults(before, PageFaults::of_this_thread());
    arm.stop();
    return outcome;
}

}  // namespace rti
