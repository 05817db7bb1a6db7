// Most of the layout is checked while compiling (memory/layout.hpp); this is what remains.
#include <doctest/doctest.h>

#include "memory/layout.hpp"

namespace rti {

TEST_CASE("The layout hash is FNV-1a as others compute it") {
    layout::Fnv empty;
    CHECK(empty.value() == 0xcbf29ce484222325u);
    layout::Fnv one;
    one.add("a");
    CHECK(one.value() == 0xaf63dc4c8601ec8cu);
    layout::Fnv word;
    word.add("foobar");
    CHECK(word.value() == 0x85944171f73967e8u);
}

TEST_CASE("The layout hash tells a moved field, a renamed field and another capacity apart") {
    const auto hash_of = [](std::string_view name, std::size_t offset, std::size_t capacity) {
        layout::Fnv fnv;
        fnv.add(name);
        fnv.add(offset);
        fnv.add(capacity);
        return fnv.value();
    };
    const auto original = hash_of("rti_action.dim", 48, 1024);
    CHECK(original != hash_of("rti_action.dim", 52, 1024));
    CHECK(original != hash_of("rti_action.size", 48, 1024));
    CHECK(original != hash_of("rti_action.dim", 48, 2048));
}

TEST_CASE("The header carries the hash that the layout has") {
    CHECK(kLayoutHash == RTI_LAYOUT_HASH);
    CHECK(kLayoutHash != 0);
}

TEST_CASE("The magic number spells rt-infer's name in memory") {
    const std::uint64_t magic = RTI_MAGIC;
    CHECK(std::string_view(reinterpret_cast<const char*>(&magic)) == "RTINFER");
}

}  // namespace rti
