// What the tests of the memory room share: a region of their own, and records whose every word says
// where it belongs.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "include/rt_infer.h"
#include "memory/region.hpp"

namespace rti {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;  // ten times slower: fewer rounds, the same cases
#else
inline constexpr bool kSanitized = false;
#endif

// A descriptor of memory without a name, closed at the end.
class ScratchFile {
  public:
    ScratchFile() : fd_(memfd_create("rt-infer-test", MFD_CLOEXEC)) {}
    explicit ScratchFile(int fd) : fd_(fd) {}
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    ~ScratchFile() { close(fd_); }
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

// A published region that children made with fork() share.
class ScratchRegion {
  public:
    ScratchRegion() : region_(Region::create(file_.fd(), {.robot_id = "test"})) {}
    [[nodiscard]] int fd() const { return file_.fd(); }
    [[nodiscard]] rti_region& operator*() const { return region_.writable(); }
    [[nodiscard]] rti_region* operator->() const { return &region_.writable(); }

  private:
    ScratchFile file_;
    Region region_;
};

// A value whose every word depends on `seed` and on its place.
template <class T>
T pattern(std::uint64_t seed) {
    std::array<std::uint64_t, sizeof(T) / 8> words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = (seed + 1) * 0x9E3779B97F4A7C15u + i;
    return std::bit_cast<T>(words);
}

// Compares every byte: the patterns are no numbers, some are NaN.
template <class T>
bool same(const T& a, const T& b) {
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

// Record `index` of a chunk; what is not its place in the chunk is a pattern.
inline rti_action action_of(std::uint64_t chunk_id, std::uint32_t index, std::uint32_t count) {
    auto action = pattern<rti_action>(chunk_id * RTI_MAX_CHUNK + index);
    action.chunk_id = chunk_id;
    action.index = index;
    action.count = count;
    return action;
}

inline std::vector<rti_action> chunk_of(std::uint64_t chunk_id, std::uint32_t count) {
    std::vector<rti_action> chunk;
    chunk.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) chunk.push_back(action_of(chunk_id, i, count));
    return chunk;
}

}  // namespace rti
