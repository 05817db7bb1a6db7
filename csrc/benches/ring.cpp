// The action ring beside boost::lockfree::spsc_queue: chunks of 50 records of the real size, one
// thread that pushes, one that pops, each on a CPU of its own, both as fast as they can.
//
//   ring ROUNDS CHUNKS
//
// "copied": a chunk is copied in, copied out and then looked at. "in place": it is copied in and
// looked at where it lies. To look at a chunk is to read one word of each cache line of it. Every
// record is counted and checked, so that neither queue can be fast by losing any. The same program,
// the same spinning and the same records for all; boost's capacity is a compile-time constant, as
// ours is. Times are ns a record.
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

#include "benches/side_by_side.hpp"
#include "include/rt_infer.h"
#include "memory/spsc_ring.hpp"

#if __has_include(<boost/lockfree/spsc_queue.hpp>)
#include <boost/lockfree/spsc_queue.hpp>
#define RTI_HAVE_BOOST 1
#endif

namespace rti::bench {
namespace {

constexpr std::size_t kChunk = 50;
using ChunkOfRecords = std::array<rti_action, kChunk>;

// Reads a record as its user would: something of every cache line.
class Onlooker {
  public:
    void look(const rti_action& record) noexcept {
        sum_ += record.chunk_id + record.index;                 // the first line
        sum_ += static_cast<std::uint64_t>(record.values[6]);   // the second
        sum_ += static_cast<std::uint64_t>(record.values[15]);  // the third
        ++records_;
    }
    [[nodiscard]] std::size_t records() const noexcept { return records_; }
    [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

  private:
    std::uint64_t sum_ = 0;
    std::size_t records_ = 0;
};

constexpr double kLastValue = 3.0;

// What an onlooker has summed up once all chunks, 0 … chunks - 1, came through.
std::uint64_t expected(std::uint64_t chunks) {
    const std::uint64_t ids = chunks * (chunks - 1) / 2 * kChunk;
    return ids + chunks * (kChunk * (kChunk - 1) / 2 +
                           kChunk * 2 * static_cast<std::uint64_t>(kLastValue));
}

// Each way through a queue has push(chunk), false if there is no room for all of it, and
// pop(onlooker), which takes what is there and may find nothing.
struct OurRing {
    std::unique_ptr<rti_region> region = std::make_unique<rti_region>();
    RingProducer producer{*region};
    RingConsumer consumer{*region};
    bool push(const ChunkOfRecords& chunk) noexcept { return producer.push(chunk); }
};

struct OursCopied : OurRing {
    std::unique_ptr<std::array<rti_action, RTI_RING_CAPACITY>> buffer =
        std::make_unique<std::array<rti_action, RTI_RING_CAPACITY>>();
    void pop(Onlooker& onlooker) noexcept {
        const std::span<const rti_action> records = consumer.peek();
        std::copy(records.begin(), records.end(), buffer->begin());
        if (!records.empty()) consumer.consume(records.size());
        for (std::size_t i = 0; i < records.size(); ++i) onlooker.look((*buffer)[i]);
    }
};

struct OursInPlace : OurRing {
    void pop(Onlooker& onlooker) noexcept {
        consumer.drain([&](const rti_action& record) noexcept { onlooker.look(record); });
    }
};

#ifdef RTI_HAVE_BOOST
using BoostQueue =
    boost::lockfree::spsc_queue<rti_action, boost::lockfree::capacity<RTI_RING_CAPACITY>>;

struct Boost {
    std::unique_ptr<BoostQueue> queue = std::make_unique<BoostQueue>();
    bool push(const ChunkOfRecords& chunk) {
        // Whole chunks only, as ours: boost by itself would take a part.
        return queue->write_available() >= kChunk && queue->push(chunk.data(), kChunk) == kChunk;
    }
};

struct BoostCopied : Boost {
    std::unique_ptr<std::array<rti_action, RTI_RING_CAPACITY>> buffer =
        std::make_unique<std::array<rti_action, RTI_RING_CAPACITY>>();
    void pop(Onlooker& onlooker) {
        const std::size_t count = queue->pop(buffer->data(), buffer->size());
        for (std::size_t i = 0; i < count; ++i) onlooker.look((*buffer)[i]);
    }
};

struct BoostInPlace : Boost {
    void pop(Onlooker& onlooker) {
        queue->consume_all([&](const rti_action& record) { onlooker.look(record); });
    }
};
#endif

void pin(std::thread& thread, int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (pthread_setaffinity_np(thread.native_handle(), sizeof set, &set) != 0) {
        throw std::runtime_error("a thread could not be bound to a CPU");
    }
}

std::array<int, 2> first_two_cpus() {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    std::array<int, 2> cpus{-1, -1};
    for (int cpu = 0; cpu < CPU_SETSIZE && cpus[1] < 0; ++cpu) {
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus[cpus[0] < 0 ? 0 : 1] = cpu;
    }
    return cpus;
}

// ns a record for `chunks` chunks through a new queue.
template <class Way>
double play(std::uint64_t chunks, const std::array<int, 2>& cpus) {
    Way way;
    Onlooker onlooker;
    std::atomic<bool> go = false;
    std::atomic<bool> all_pushed = false;
    const std::size_t records = chunks * kChunk;

    std::thread popper([&] {
        while (!go.load(std::memory_order_acquire)) _mm_pause();
        while (onlooker.records() < records) {
            const std::size_t before = onlooker.records();
            const bool last_look = all_pushed.load(std::memory_order_acquire);
            way.pop(onlooker);
            if (onlooker.records() != before) continue;
            if (last_look) return;  // some are missing; the sum will tell
            _mm_pause();
        }
    });
    std::int64_t begin_ns = 0;
    std::thread pusher([&] {
        ChunkOfRecords chunk{};
        for (std::uint32_t i = 0; i < kChunk; ++i) {
            chunk[i].index = i;
            chunk[i].values[6] = chunk[i].values[15] = kLastValue;
        }
        while (!go.load(std::memory_order_acquire)) _mm_pause();
        begin_ns = now_ns();
        for (std::uint64_t id = 0; id < chunks; ++id) {
            for (rti_action& record : chunk) record.chunk_id = id;
            while (!way.push(chunk)) _mm_pause();
        }
        all_pushed.store(true, std::memory_order_release);
    });
    pin(popper, cpus[0]);
    pin(pusher, cpus[1]);
    go.store(true, std::memory_order_release);
    pusher.join();
    popper.join();
    const std::int64_t end_ns = now_ns();
    if (onlooker.sum() != expected(chunks)) throw std::runtime_error("records were lost or torn");
    return static_cast<double>(end_ns - begin_ns) / static_cast<double>(records);
}

template <class Way>
void contend(Round& round, const char* name, std::uint64_t chunks, const std::array<int, 2>& cpus) {
    const std::array<std::pair<const char*, double>, 1> figures{
        {{"mean", play<Way>(chunks, cpus)}}};
    round.add(name, chunks * kChunk, figures);
}

}  // namespace
}  // namespace rti::bench

int main(int argc, char** argv) try {
    using namespace rti::bench;
    if (argc != 3) throw std::runtime_error("usage: ring ROUNDS CHUNKS");
    const int rounds = std::atoi(argv[1]);
    const auto chunks = static_cast<std::uint64_t>(std::atoll(argv[2]));
    const std::array<int, 2> cpus = first_two_cpus();
    if (cpus[1] < 0) throw std::runtime_error("two threads need two CPUs, and one is allowed");

    for (int i = 0; i < rounds; ++i) {
        Round round;
        contend<OursCopied>(round, "ours copied", chunks, cpus);
        contend<OursInPlace>(round, "ours in place", chunks, cpus);
#ifdef RTI_HAVE_BOOST
        contend<BoostCopied>(round, "boost copied", chunks, cpus);
        contend<BoostInPlace>(round, "boost in place", chunks, cpus);
#endif
        round.print();
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "ring: %s\n", error.what());
    return 1;
}
