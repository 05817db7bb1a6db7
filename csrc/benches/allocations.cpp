// malloc and its kin, counted; glibc's own do the work ("Replacing malloc" in its manual).
#include "benches/allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace rti::bench {
namespace {

std::atomic<std::uint64_t> count = 0;

// relaxed: a count orders nothing
void add_one() noexcept {
    count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::uint64_t allocations() noexcept {
    return count.load(std::memory_order_relaxed);
}

}  // namespace rti::bench

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) {
    rti::bench::add_one();
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    rti::bench::add_one();
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
    rti::bench::add_one();
    return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    rti::bench::add_one();
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    *memory = aligned_alloc(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
    __libc_free(memory);
}
}
