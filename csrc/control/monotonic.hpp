// The one clock that schedules anything on this machine.
//
// Any thread. Through the vDSO: not a system call, about 25 ns.
#pragma once

#include <cstdint>
#include <ctime>

namespace rti {

inline std::int64_t monotonic_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace rti
