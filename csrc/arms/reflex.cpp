#include "arms/arm.hpp"

namespace rti {

std::string_view reflex_name(Reflex reflex) noexcept {
    switch (reflex) {
        case Reflex::kNone:
            return "none";
        case Reflex::kJointPositionLimits:
            return "joint_position_limits_violation";
        case Reflex::kJointVelocityLimits:
            return "joint_motion_generator_velocity_limits_violation";
        case Reflex::kJointVelocityDiscontinuity:
            return "joint_motion_generator_velocity_discontinuity";
        case Reflex::kJointAccelerationDiscontinuity:
            return "joint_motion_generator_acceleration_discontinuity";
        case Reflex::kStartPoseInvalid:
            return "joint_position_motion_generator_start_pose_invalid";
        case Reflex::kCommunicationConstraints:
            return "communication_constraints_violation";
        // Not error flags of FCI: the first is the text of its reply to Move, the second what
        // libfranka throws before it sends anything.
        case Reflex::kMotionFinishedWhileMoving:
            return "Motion finished commanded, but the robot is still moving!";
        case Reflex::kNotANumber:
            return "command is infinite or NaN";
        case Reflex::kOther:
            break;
    }
    return "other";
}

}  // namespace rti
