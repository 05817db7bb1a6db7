// Chunks as they come out of a ring or a file: whatever their records say, nothing is kept beyond
// the arrays. AddressSanitizer is the judge of most of this.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

#include "motion/chunk.hpp"

namespace rti {
namespace {

rti_action action(std::uint32_t index, std::uint32_t count, std::uint32_t dim = RTI_DOF) {
    rti_action record{};
    record.kind = RTI_RECORD_ACTION;
    record.chunk_id = 1;
    record.index = index;
    record.count = count;
    record.dim = dim;
    for (double& value : record.values) value = 1.0;
    return record;
}

TEST_CASE("a chunk of the greatest size is taken whole") {
    const auto chunk = std::make_unique<Chunk>();
    for (std::uint32_t i = 0; i < RTI_MAX_CHUNK; ++i) {
        REQUIRE(chunk->take(action(i, RTI_MAX_CHUNK)) == (i + 1 == RTI_MAX_CHUNK));
    }
    CHECK(chunk->well_formed);
    CHECK(chunk->targets.back()[6] == 1.0);
}

TEST_CASE("a chunk that claims more actions than there may be is not kept beyond the arrays") {
    for (const std::uint32_t count : {513U, 1024U, 0xffff'ffffU}) {
        CAPTURE(count);
        const auto chunk = std::make_unique<Chunk>();
        for (std::uint32_t i = 0; i < 2000 && i < count; ++i) {
            REQUIRE(chunk->take(action(i, count)) == (i + 1 == count));
        }
        CHECK_FALSE(chunk->well_formed);
        CHECK(chunk->targets[0][0] == 0.0);
    }
}

TEST_CASE("an action whose index is beyond its chunk spoils the chunk and is not kept") {
    for (const std::uint32_t index : {1U, 20U, 512U, 513U, 0xffff'fffeU, 0xffff'ffffU}) {
        CAPTURE(index);
        const auto chunk = std::make_unique<Chunk>();
        static_cast<void>(chunk->take(action(0, 20)));
        static_cast<void>(chunk->take(action(index, 20)));
        CHECK(chunk->well_formed == (index == 1));
        CHECK(chunk->targets[1][0] == (index == 1 ? 1.0 : 0.0));
    }
}

TEST_CASE("a record of more values than an action has spoils the chunk and is not kept") {
    for (const std::uint32_t dim : {0U, 6U, 17U, 0xffff'ffffU}) {
        CAPTURE(dim);
        const auto chunk = std::make_unique<Chunk>();
        CHECK(chunk->take(action(0, 1, dim)));
        CHECK_FALSE(chunk->well_formed);
        CHECK(chunk->tool_values == 0);
    }
}

TEST_CASE("what comes before any chunk's first action is no chunk") {
    const auto chunk = std::make_unique<Chunk>();
    CHECK(chunk->take(action(19, 20)));
    CHECK_FALSE(chunk->well_formed);
}

}  // namespace
}  // namespace rti
