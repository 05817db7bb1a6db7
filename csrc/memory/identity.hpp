// Who made a region: enough to name the process in a message, even after its pid went to another
// one. Whether it still lives is never decided by this, only by the lock on the region.
#pragma once

#include <array>
#include <cstdint>

namespace rti {

// When this process started, in clock ticks since the kernel did (field 22 of /proc/self/stat);
// 0 if that cannot be read.
[[nodiscard]] std::uint64_t own_start_ticks();

// The kernel's boot id; zeros if it cannot be read.
[[nodiscard]] std::array<std::uint8_t, 16> kernel_boot_id();

}  // namespace rti
