#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <string>
#include <string_view>
#include <thread>

#include "memory/region.hpp"
#include "tests/scratch_region.hpp"

namespace rti {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kShort{5};

// The error that `act` ends with; its message must be a sentence.
template <class Act>
RegionError error_of(Act act) {
    try {
        act();
    } catch (const RegionException& exception) {
        const std::string message = exception.what();
        CHECK(message.size() > 20);
        CHECK(std::string_view(".?").find(message.back()) != std::string_view::npos);
        return exception.error();
    }
    FAIL("no error was thrown");
    return RegionError::kMapFailed;
}

RegionError error_of_attaching(int fd, Access access = Access::kReadOnly) {
    return error_of([&] { (void)Region::attach(fd, access, kShort); });
}

RegionError error_of_creating(int fd, const RegionOptions& options) {
    return error_of([&] { (void)Region::create(fd, options); });
}

// Lowers the size that files may grow to, without the signal that goes with it, until it goes.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit lowered{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &lowered);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};

}  // namespace

TEST_CASE("A created region describes itself, its maker and its robot") {
    const ScratchFile file;
    const Region region =
        Region::create(file.fd(), {.robot_id = "left-arm", .fps = 25.0, .generation = 7});
    const rti_header& header = region.view().header;
    CHECK(header.magic == RTI_MAGIC);
    CHECK(header.published == RTI_ABI_VERSION);
    CHECK(header.layout_hash == kLayoutHash);
    CHECK(header.total_size == sizeof(rti_region));
    CHECK(header.generation == 7);
    CHECK(header.fps == 25.0);
    CHECK(std::string(header.robot_id) == "left-arm");
    CHECK(header.creator_pid == static_cast<std::uint32_t>(getpid()));
    CHECK(header.creator_start_ticks > 0);
    CHECK(header.created_ns > 0);
    CHECK(std::any_of(std::begin(header.boot_id), std::end(header.boot_id),
                      [](std::uint8_t byte) { return byte != 0; }));
}

TEST_CASE("The offsets in the header lead to the parts of the region") {
    const ScratchRegion region;
    const auto* base = reinterpret_cast<const char*>(&*region);
    const rti_header& header = region->header;
    CHECK(static_cast<const void*>(base + header.ring_offset) == &region->ring);
    CHECK(static_cast<const void*>(base + header.mailbox_offset) == &region->mailbox);
    CHECK(static_cast<const void*>(base + header.stats_offset) == &region->stats);
    CHECK(static_cast<const void*>(base + header.telemetry_offset) == &region->telemetry);
    CHECK(header.ring_capacity * header.action_size == sizeof(region->actions));
    CHECK(header.mailbox_cells * header.mailbox_cell_size == sizeof(region->cells));
    CHECK(header.telemetry_capacity * header.telemetry_slot_size == sizeof(region->slots));
}

TEST_CASE("What the creator writes is read through another mapping") {
    const ScratchRegion region;
    const Region observer = Region::attach(region.fd(), Access::kReadOnly, kShort);
    CHECK(&observer.view() != &*region);
    region->stats.cycles = 42;
    CHECK(observer.view().stats.cycles == 42);
}

TEST_CASE("All memory of a region is there before it is used") {
    const ScratchRegion region;
    struct stat status{};
    REQUIRE(fstat(region.fd(), &status) == 0);
    CHECK(static_cast<std::size_t>(status.st_blocks) * 512 >= sizeof(rti_region));
}

TEST_CASE("A moved region stays mapped, once") {
    const ScratchFile file;
    Region first = Region::create(file.fd(), {.robot_id = "a", .generation = 3});
    Region second = std::move(first);
    CHECK(second.view().header.generation == 3);
    second = Region::attach(file.fd(), Access::kReadWrite, kShort);
    CHECK(second.view().header.generation == 3);
}

TEST_CASE("A read-only mapping is read-only for the kernel too") {
    const ScratchRegion region;
    const Region observer = Region::attach(region.fd(), Access::kReadOnly, kShort);
    CHECK(error_of([&] { (void)observer.writable(); }) == RegionError::kReadOnly);

    const ScratchFile zeros(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    void* inside = const_cast<rti_stats*>(&observer.view().stats);
    CHECK(read(zeros.fd(), inside, sizeof(std::uint64_t)) == -1);
    CHECK(errno == EFAULT);
}

TEST_CASE("An opener waits for a region that is published late") {
    const ScratchFile file;
    std::thread creator([&] {
        std::this_thread::sleep_for(milliseconds(30));
        (void)Region::create(file.fd(), {.robot_id = "late"});
    });
    const Region region = Region::attach(file.fd(), Access::kReadWrite, seconds(60));
    creator.join();
    CHECK(std::string(region.view().header.robot_id) == "late");
}

TEST_CASE("A region that nobody sizes, or nobody publishes, is not published") {
    const ScratchFile empty;
    CHECK(error_of_attaching(empty.fd()) == RegionError::kNotPublished);

    const ScratchFile sized;  // as its creator leaves it when it dies before the last store
    REQUIRE(ftruncate(sized.fd(), sizeof(rti_region)) == 0);
    CHECK(error_of_attaching(sized.fd()) == RegionError::kNotPublished);
}

TEST_CASE("An object too small for a header, or for what its header says, is too small") {
    const ScratchFile tiny;
    REQUIRE(ftruncate(tiny.fd(), 100) == 0);
    CHECK(error_of_attaching(tiny.fd()) == RegionError::kTooSmall);

    const ScratchRegion region;
    REQUIRE(ftruncate(region.fd(), 4096) == 0);
    CHECK(error_of_attaching(region.fd()) == RegionError::kTooSmall);
}

TEST_CASE("A stranger's object, another version and another layout are told apart") {
    const ScratchRegion region;
    rti_header& header = region->header;
    const rti_header good = header;

    header.magic = 0x1234;
    CHECK(error_of_attaching(region.fd()) == RegionError::kBadMagic);
    header = good;
    header.published = RTI_ABI_VERSION + 1;
    CHECK(error_of_attaching(region.fd()) == RegionError::kVersionMismatch);
    header = good;
    header.layout_hash ^= 1;
    CHECK(error_of_attaching(region.fd()) == RegionError::kLayoutMismatch);
    header = good;
    header.total_size += 8;
    CHECK(error_of_attaching(region.fd()) == RegionError::kLayoutMismatch);
    header = good;
    header.header_size -= 8;
    CHECK(error_of_attaching(region.fd()) == RegionError::kLayoutMismatch);
    header = good;
    CHECK_NOTHROW((void)Region::attach(region.fd(), Access::kReadOnly, kShort));
}

TEST_CASE("No room for a region is an error when it is made, not a SIGBUS when it is used") {
    const ScratchFile file;
    const FileSizeLimit limit(1 << 20);
    CHECK(error_of_creating(file.fd(), {.robot_id = "a"}) == RegionError::kNoSpace);
}

TEST_CASE("A descriptor that cannot be looked at, or not be written, is a failure to map") {
    CHECK(error_of_attaching(-1) == RegionError::kMapFailed);
    CHECK(error_of_creating(-1, {.robot_id = "a"}) == RegionError::kMapFailed);

    const ScratchRegion region;
    const std::string path = "/proc/self/fd/" + std::to_string(region.fd());
    const ScratchFile read_only(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    CHECK(error_of_attaching(read_only.fd(), Access::kReadWrite) == RegionError::kMapFailed);
    CHECK_NOTHROW((void)Region::attach(read_only.fd(), Access::kReadOnly, kShort));
}

TEST_CASE("A region is never made over one that exists") {
    const ScratchRegion region;
    region->stats.cycles = 42;
    CHECK(error_of_creating(region.fd(), {.robot_id = "a"}) == RegionError::kNotEmpty);
    CHECK(region->stats.cycles == 42);
}

TEST_CASE("An id that does not fit and a rate that is none are refused") {
    const ScratchFile file;
    const std::string long_id(64, 'x');
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(error_of_creating(file.fd(), {.robot_id = long_id}) == RegionError::kBadOptions);
    CHECK(error_of_creating(file.fd(), {.robot_id = "a", .fps = 0.0}) == RegionError::kBadOptions);
    CHECK(error_of_creating(file.fd(), {.robot_id = "a", .fps = nan}) == RegionError::kBadOptions);

    const std::string longest_id(63, 'x');
    const Region region = Region::create(file.fd(), {.robot_id = longest_id});
    CHECK(std::string(region.view().header.robot_id) == longest_id);
}

}  // namespace rti
