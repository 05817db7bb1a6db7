#include "memory/region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>
#include <thread>
#include <utility>

#include "memory/identity.hpp"
#include "memory/words.hpp"

namespace rti {
namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC on Linux

constexpr std::chrono::milliseconds kPollInterval{1};

[[noreturn]] void fail(RegionError error, const std::string& message) {
    throw RegionException(error, message);
}

std::string reason(int error_number) {
    return std::generic_category().message(error_number);
}

// A mapping that is undone unless it is released.
class Mapping {
  public:
    Mapping(int fd, std::size_t size, int protection, int extra_flags = 0) : size_(size) {
        memory_ = mmap(nullptr, size, protection, MAP_SHARED | extra_flags, fd, 0);
        if (memory_ == MAP_FAILED) {
            fail(RegionError::kMapFailed, "The robot's shared memory could not be mapped (" +
                                              reason(errno) + "): check who may access it.");
        }
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() {
        if (memory_ != nullptr) munmap(memory_, size_);
    }
    [[nodiscard]] void* get() const noexcept { return memory_; }
    void* release() noexcept { return std::exchange(memory_, nullptr); }

  private:
    void* memory_;
    std::size_t size_;
};

std::size_t object_size(int fd) {
    struct stat status{};
    if (fstat(fd, &status) != 0) {
        fail(RegionError::kMapFailed,
             "The robot's shared memory cannot be looked at (" + reason(errno) + ").");
    }
    return static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
}

void reserve(int fd) {
    int error = 0;
    do {
        error = posix_fallocate(fd, 0, static_cast<off_t>(sizeof(rti_region)));
    } while (error == EINTR);
    if (error == 0) return;
    const std::string needed = std::to_string((sizeof(rti_region) >> 10) + 1) + " KiB";
    if (error == ENOSPC || error == EFBIG || error == EDQUOT || error == ENOMEM) {
        fail(RegionError::kNoSpace, "There is no room for the robot's shared memory (" +
                                        reason(error) + "): free " + needed + " in /dev/shm.");
    }
    fail(RegionError::kMapFailed,
         "The robot's shared memory could not be sized (" + reason(error) + ").");
}

void fill_header(rti_header& header, const RegionOptions& options) {
    header.magic = RTI_MAGIC;
    header.header_size = sizeof(rti_header);
    header.layout_hash = kLayoutHash;
    header.total_size = sizeof(rti_region);
    header.generation = options.generation;
    header.creator_start_ticks = own_start_ticks();
    header.creator_pid = static_cast<std::uint32_t>(getpid());
    header.dof = RTI_DOF;
    header.created_ns = std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
    const auto boot_id = kernel_boot_id();
    std::copy(boot_id.begin(), boot_id.end(), header.boot_id);
    header.fps = options.fps;
    header.ring_offset = offsetof(rti_region, ring);
    header.mailbox_offset = offsetof(rti_region, mailbox);
    header.stats_offset = offsetof(rti_region, stats);
    header.telemetry_offset = offsetof(rti_region, telemetry);
    header.ring_capacity = RTI_RING_CAPACITY;
    header.action_size = sizeof(rti_action);
    header.mailbox_cells = RTI_MAILBOX_CELLS;
    header.mailbox_cell_size = sizeof(rti_mailbox_cell);
    header.telemetry_capacity = RTI_TELEMETRY_CAPACITY;
    header.telemetry_slot_size = sizeof(rti_telemetry_slot);
    options.robot_id.copy(header.robot_id, sizeof(header.robot_id) - 1);
}

void wait_for_header(int fd, Clock::time_point deadline) {
    std::size_t size = object_size(fd);
    while (size < sizeof(rti_header)) {
        if (Clock::now() >= deadline) {
            if (size == 0) {
                fail(RegionError::kNotPublished,
                     "The robot's shared memory was still empty when the time was up: is its owner "
                     "still starting?");
            }
            fail(RegionError::kTooSmall,
                 "The robot's shared memory is too small to be one: remove it and start the robot "
                 "again.");
        }
        std::this_thread::sleep_for(kPollInterval);
        size = object_size(fd);
    }
}

// The version that was published.
std::uint32_t wait_for_publication(const rti_header& header, Clock::time_point deadline) {
    for (;;) {
        // SYNC POINT region published: partner is the last store of Region::create
        const std::uint32_t version = load_acquire(header.published);
        if (version != 0) return version;
        if (Clock::now() >= deadline) {
            fail(RegionError::kNotPublished,
                 "The robot's shared memory was not published in time: did its owner die while "
                 "starting?");
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

void check(const rti_header& header, std::uint32_t version, std::size_t size) {
    if (header.magic != RTI_MAGIC) {
        fail(RegionError::kBadMagic,
             "This shared memory was not made by rt-infer: give the robot another id, or remove "
             "the object.");
    }
    if (version != RTI_ABI_VERSION) {
        fail(RegionError::kVersionMismatch,
             "The robot's shared memory is of version " + std::to_string(version) +
                 " and this program of version " + std::to_string(RTI_ABI_VERSION) +
                 ": use one release of rt-infer for both.");
    }
    if (header.header_size != sizeof(rti_header) || header.layout_hash != kLayoutHash ||
        header.total_size != sizeof(rti_region)) {
        fail(RegionError::kLayoutMismatch,
             "The robot's shared memory is laid out differently: build both sides from the same "
             "rt_infer.h.");
    }
    if (size < sizeof(rti_region)) {
        fail(RegionError::kTooSmall,
             "The robot's shared memory is cut short: remove it and start the robot again.");
    }
}

}  // namespace

Region Region::create(int fd, const RegionOptions& options) {
    if (options.robot_id.size() >= sizeof(rti_header::robot_id) ||
        options.robot_id.find('\0') != std::string_view::npos) {
        fail(RegionError::kBadOptions, "A robot's id has at most 63 bytes: choose a shorter one.");
    }
    if (!std::isfinite(options.fps) || options.fps <= 0.0) {
        fail(RegionError::kBadOptions, "fps must be a number above 0.");
    }
    if (object_size(fd) != 0) {
        fail(RegionError::kNotEmpty,
             "This shared memory object already holds something: remove it and make a new one.");
    }
    reserve(fd);
    Mapping mapping(fd, sizeof(rti_region), PROT_READ | PROT_WRITE, MAP_POPULATE);
    auto* memory = static_cast<rti_region*>(mapping.get());  // all zeros, being new
    fill_header(memory->header, options);
    // SYNC POINT region published: all of the above happens before an opener looks at it; partner
    // is wait_for_publication
    store_release(memory->header.published, RTI_ABI_VERSION);
    mapping.release();
    return {memory, Access::kReadWrite};
}

Region Region::attach(int fd, Access access, std::chrono::nanoseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    wait_for_header(fd, deadline);
    {
        const Mapping mapping(fd, sizeof(rti_header), PROT_READ);
        const auto& header = *static_cast<const rti_header*>(mapping.get());
        const std::uint32_t version = wait_for_publication(header, deadline);
        check(header, version, object_size(fd));
    }
    const bool writes = access == Access::kReadWrite;
    Mapping mapping(fd, sizeof(rti_region), writes ? PROT_READ | PROT_WRITE : PROT_READ,
                    writes ? MAP_POPULATE : 0);
    return {static_cast<rti_region*>(mapping.release()), access};
}

Region::Region(Region&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), access_(other.access_) {}

Region& Region::operator=(Region&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(access_, other.access_);
    return *this;
}

Region::~Region() {
    if (memory_ != nullptr) munmap(memory_, sizeof(rti_region));
}

rti_region& Region::writable() const {
    if (access_ == Access::kReadOnly) {
        fail(RegionError::kReadOnly,
             "This region is mapped read-only: attach it for writing to take a part in it.");
    }
    return *memory_;
}

}  // namespace rti
