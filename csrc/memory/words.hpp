// The atomic words of the region, and copies made of them.
//
// The region's fields are plain integers and doubles (the header is C), so every access to a word
// that another process may touch at the same time goes through these functions, each of which is
// one lock-free load or store. Order is always on the access itself, never in a standalone fence:
// ThreadSanitizer does not understand fences, and a reader should see at the access what it is
// ordered with.
//
// Read-only mappings. std::atomic_ref wants a non-const object even to load from it; the casts
// below are sound because a lock-free load of a naturally aligned word writes nothing.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace rti {

template <class T>
concept Word = std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8) &&
               std::atomic_ref<T>::is_always_lock_free;

template <Word T>
[[nodiscard]] inline T load_acquire(const T& word) noexcept {
    return std::atomic_ref<T>(const_cast<T&>(word)).load(std::memory_order_acquire);
}

template <Word T>
[[nodiscard]] inline T load_relaxed(const T& word) noexcept {
    return std::atomic_ref<T>(const_cast<T&>(word)).load(std::memory_order_relaxed);
}

template <Word T>
inline void store_release(T& word, std::type_identity_t<T> value) noexcept {
    std::atomic_ref<T>(word).store(value, std::memory_order_release);
}

// For counters that order nothing: statistics, and indices that only their owner reads.
template <Word T>
inline void store_relaxed(T& word, std::type_identity_t<T> value) noexcept {
    std::atomic_ref<T>(word).store(value, std::memory_order_relaxed);
}

// Adds to a word that only the caller writes: a load and a store, no locked instruction.
template <Word T>
inline void add_relaxed(T& word, std::type_identity_t<T> amount) noexcept {
    store_relaxed(word, load_relaxed(word) + amount);
}

// Called after each access of a protocol, so that a test can stop or interfere exactly there. This
// one does nothing and costs nothing.
struct NoProbe {
    void operator()() const noexcept {}
};

// Stores `value` as words, each with release order: whoever loads one of them with acquire order
// also sees every store that came before this call.
template <class T, class Probe = NoProbe>
inline void store_words(std::uint64_t* words, const T& value, Probe& probe) noexcept {
    static_assert(sizeof(T) % sizeof(std::uint64_t) == 0);
    const auto copy = std::bit_cast<std::array<std::uint64_t, sizeof(T) / 8>>(value);
    for (std::size_t i = 0; i < copy.size(); ++i) {
        store_release(words[i], copy[i]);
        probe();
    }
}

// The counterpart: loads each word with acquire order. The result is whole only if the caller's
// protocol finds, afterwards, that nobody has stored over it meanwhile.
template <class T, class Probe = NoProbe>
[[nodiscard]] inline T load_words(const std::uint64_t* words, Probe& probe) noexcept {
    static_assert(sizeof(T) % sizeof(std::uint64_t) == 0);
    std::array<std::uint64_t, sizeof(T) / 8> copy;
    for (std::size_t i = 0; i < copy.size(); ++i) {
        copy[i] = load_acquire(words[i]);
        probe();
    }
    return std::bit_cast<T>(copy);
}

}  // namespace rti
