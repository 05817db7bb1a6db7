// What a quintic asks for: the one from rest to rest over a unit of way and of time, and the one
// that begins with a unit of velocity and comes back to where it began, at rest.
#pragma once

namespace rti {

// Of s(u) = 10u³ - 15u⁴ + 6u⁵: the greatest |s'|, at 1/2, and |s''|, 10/√3.
inline constexpr double kPeakVelocity = 1.875;
inline constexpr double kPeakAcceleration = 5.7735;
// Of u - 6u³ + 8u⁴ - 3u⁵: the greatest |s''|, and how far it leads away first, at 1/3.
inline constexpr double kPeakSheddingAcceleration = 3.94;
inline constexpr double kSlopeExcursion = 0.1976;
// Of (u² - 3u³ + 3u⁴ - u⁵) / 2, which sheds a unit of acceleration: how far it leads away, at 2/5.
inline constexpr double kCurvatureExcursion = 0.0173;

}  // namespace rti
