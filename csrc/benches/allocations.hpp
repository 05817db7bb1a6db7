// How often this program has allocated memory. Link allocations.cpp, which stands in for malloc.
#pragma once

#include <cstdint>

namespace rti::bench {

// Calls of malloc and its kin by any thread since the start; `new` is among them.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace rti::bench
