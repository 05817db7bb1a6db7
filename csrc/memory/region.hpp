// The shared memory region of include/rt_infer.h, mapped: created by the robot's network process,
// attached by its core, watched by anyone.
//
// Protocol. Both take a descriptor and leave it open and theirs to close; names, locks and removal
// are the caller's (rt_infer/robot/region.py). create() reserves the memory before it maps it, so
// that a full /dev/shm is an error here and not a SIGBUS in the loop; it fills everything in and
// publishes last. attach() waits for that, and then believes nothing that it has not checked.
//
// Lifetime. Views, producers and readers point into the mapping: they must not outlive the Region.
//
// Threads. Any, at set-up. create() and attach() throw RegionException; nothing else allocates.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "include/rt_infer.h"
#include "memory/layout.hpp"

namespace rti {

enum class RegionError {
    kBadOptions,       // robot_id or fps cannot stand in a header
    kNotEmpty,         // create() was given an object that already holds something
    kNoSpace,          // the memory could not be reserved
    kMapFailed,        // the descriptor could not be sized, looked at or mapped
    kNotPublished,     // nobody published a region within the time given
    kTooSmall,         // the object is smaller than a region
    kBadMagic,         // published, but not by rt-infer
    kVersionMismatch,  // a region of another version of rt_infer.h
    kLayoutMismatch,   // the same version, but laid out differently
    kReadOnly,         // write access to a region that was attached read-only
};

// what() is one sentence: what happened, and what to do.
class RegionException : public std::runtime_error {
  public:
    RegionException(RegionError error, const std::string& message)
        : std::runtime_error(message), error_(error) {}
    [[nodiscard]] RegionError error() const noexcept { return error_; }

  private:
    RegionError error_;
};

struct RegionOptions {
    std::string_view robot_id;     // at most 63 bytes of UTF-8
    double fps = 30.0;             // policy steps a second
    std::uint64_t generation = 1;  // one more than the last region of this name
};

enum class Access {
    kReadOnly,   // observers: the kernel itself refuses a store
    kReadWrite,  // the core
};

class Region {
  public:
    // Makes a region of the empty object behind `fd` (open for reading and writing) and publishes
    // it. Throws kBadOptions, kNoSpace, kMapFailed.
    static Region create(int fd, const RegionOptions& options);

    // Maps the region behind `fd` once it is published, waiting `patience` at most. Throws
    // kNotPublished, kTooSmall, kBadMagic, kVersionMismatch, kLayoutMismatch, kMapFailed.
    static Region attach(int fd, Access access, std::chrono::nanoseconds patience);

    Region(Region&& other) noexcept;
    Region& operator=(Region&& other) noexcept;
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
    ~Region();

    // To read from: the header directly, everything else through the classes of this room.
    [[nodiscard]] const rti_region& view() const noexcept { return *memory_; }

    // To write to, by the one owner of each part (see rt_infer.h). Throws kReadOnly.
    [[nodiscard]] rti_region& writable() const;

  private:
    Region(rti_region* memory, Access access) noexcept : memory_(memory), access_(access) {}

    rti_region* memory_;  // nullptr: moved from
    Access access_;
};

}  // namespace rti
