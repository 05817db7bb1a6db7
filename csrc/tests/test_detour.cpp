// The way back after lost packets: short, and no longer for the next ones that get lost on it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "motion/detour.hpp"

namespace rti {
namespace {

TEST_CASE("packets that get lost on the way back, again and again, lead no further astray") {
    // The path stands still; the arm was braking hard when the first packets got lost.
    for (int good = 5; good <= 100; ++good) {
        CAPTURE(good);
        Detour detour(MotionLimits::fr3());
        PathPoint arm;
        arm.d1[0] = 0.3;
        arm.d2[0] = 8.0;
        double furthest = 0.0;
        for (int loss = 0; loss < 40; ++loss) {
            detour.begin(arm, PathPoint{});
            for (int i = 0; i < good; ++i) detour.advance();
            PathPoint sent;
            detour.add_to(sent);
            // 19 cycles of constant acceleration.
            arm.d2[0] = sent.d2[0];
            arm.d1[0] = sent.d1[0] + 0.019 * sent.d2[0];
            arm.q[0] = sent.q[0] + 0.019 * (sent.d1[0] + 0.0095 * sent.d2[0]);
            furthest = std::max(furthest, std::abs(arm.q[0]));
        }
        CHECK(furthest < 0.1);
    }
}

TEST_CASE("an acceleration that a loss has left behind is shed at once, however long the way") {
    Detour detour(MotionLimits::fr3());
    PathPoint arm;
    arm.d1[0] = 1.0;
    arm.d2[0] = 10.0;
    detour.begin(arm, PathPoint{});
    double fastest = 0.0;
    double last = 0.0;
    while (detour.active()) {
        detour.advance();
        PathPoint point;
        detour.add_to(point);
        fastest = std::max(fastest, point.d1[0]);
        last = point.q[0];
    }
    CHECK(fastest < 1.05);
    CHECK(std::abs(last) < 1e-12);
}

}  // namespace
}  // namespace rti
