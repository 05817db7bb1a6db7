// The FR3's kinematics for the network process: whole arrays in and out, the GIL let go of.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core.hpp"
#include "kinematics/keep_in_box.hpp"
#include "motion/target_range.hpp"

namespace rti::python {
namespace {

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Xyz = std::array<double, 3>;
using XyzRpy = std::array<double, 6>;
using Shape = std::vector<py::ssize_t>;

// The range of targets inside the arm's own, or inside the narrower one that is given.
JointRange to_range(const std::optional<JointArray>& q_min,
                    const std::optional<JointArray>& q_max) {
    MotionLimits limits = MotionLimits::fr3();
    if (q_min) limits.q_min_rad = *q_min;
    if (q_max) limits.q_max_rad = *q_max;
    const JointRange range = target_range(limits);
    for (std::size_t j = 0; j < kDof; ++j) {
        if (!(range.low_rad[j] <= range.high_rad[j])) {
            throw py::value_error("the range of joint " + std::to_string(j + 1) +
                                  " leaves no room for a target");
        }
    }
    return range;
}

FollowRules to_rules(const XyzRpy& tcp, double step_s, const std::optional<JointArray>& q_min,
                     const std::optional<JointArray>& q_max) {
    if (!(step_s >= 0.0)) throw py::value_error("step_s must not be negative");
    return {.range = to_range(q_min, q_max), .tool = transform_of(tcp), .step_s = step_s};
}

std::pair<JointArray, JointArray> range_of_targets(const std::optional<JointArray>& q_min,
                                                   const std::optional<JointArray>& q_max) {
    const JointRange range = to_range(q_min, q_max);
    return {range.low_rad, range.high_rad};
}

std::vector<JointArray> to_joints(const Array& q, const char* complaint) {
    if (q.ndim() < 1 || q.shape(q.ndim() - 1) != kDof) throw py::value_error(complaint);
    std::vector<JointArray> out(static_cast<std::size_t>(q.size()) / kDof);
    const double* from = q.data();
    for (JointArray& row : out) {
        std::copy_n(from, kDof, row.begin());
        from += kDof;
    }
    return out;
}

Array to_array(const std::vector<JointArray>& rows) {
    Array out(Shape{static_cast<py::ssize_t>(rows.size()), kDof});
    double* to = out.mutable_data();
    for (const JointArray& row : rows) to = std::copy(row.begin(), row.end(), to);
    return out;
}

double* write_pose(const Transform& pose, double* to) noexcept {
    for (std::size_t i = 0; i < 3; ++i) {
        to = std::copy(pose.rotation[i].begin(), pose.rotation[i].end(), to);
        *to++ = pose.position[i];
    }
    const Quaternion last = {0.0, 0.0, 0.0, 1.0};
    return std::copy(last.begin(), last.end(), to);
}

Transform read_pose(const double* from) noexcept {
    Transform pose;
    for (std::size_t i = 0; i < 3; ++i) {
        std::copy_n(from + 4 * i, 3, pose.rotation[i].begin());
        pose.position[i] = from[4 * i + 3];
    }
    return pose;
}

// (..., 7) to (..., `inner`, 4, 4): what `write` makes of each row.
template <class Write>
Array poses_of(const Array& q, const Shape& inner, Write write) {
    const std::vector<JointArray> rows = to_joints(q, "joint angles are (..., 7)");
    Shape shape(q.shape(), q.shape() + q.ndim() - 1);
    shape.insert(shape.end(), inner.begin(), inner.end());
    Array out(shape);
    double* to = out.mutable_data();
    const py::gil_scoped_release no_gil;
    for (const JointArray& row : rows) to = write(row, to);
    return out;
}

Array forward(const Array& q, const XyzRpy& tcp) {
    const Transform tool = transform_of(tcp);
    return poses_of(q, {4, 4}, [&](const JointArray& row, double* to) {
        return write_pose(compose(flange_pose(row), tool), to);
    });
}

Array all_frames(const Array& q) {
    return poses_of(q, {kDof, 4, 4}, [](const JointArray& row, double* to) {
        for (const Transform& frame : joint_frames(row)) to = write_pose(frame, to);
        return to;
    });
}

std::pair<Array, Array> follow_poses(const JointArray& seed_q, const Array& poses,
                                     const XyzRpy& tcp, double step_s,
                                     const std::optional<JointArray>& q_min,
                                     const std::optional<JointArray>& q_max) {
    if (poses.ndim() != 3 || poses.shape(1) != 4 || poses.shape(2) != 4) {
        throw py::value_error("poses are (T, 4, 4)");
    }
    const FollowRules rules = to_rules(tcp, step_s, q_min, q_max);
    const auto count = static_cast<std::size_t>(poses.shape(0));
    std::vector<JointArray> waypoints(count);
    Array errors(Shape{poses.shape(0), 2});
    const double* pose = poses.data();
    double* error = errors.mutable_data();
    {
        const py::gil_scoped_release no_gil;
        JointArray q = seed_q;
        for (std::size_t i = 0; i < count; ++i) {
            const PoseError left = follow_pose(read_pose(pose + 16 * i), rules, q);
            waypoints[i] = q;
            error[2 * i] = left.position_m;
            error[2 * i + 1] = left.rotation_rad;
        }
    }
    return {to_array(waypoints), errors};
}

std::pair<Array, std::size_t> keep_waypoints_in_box(const Array& q, const Xyz& box_min,
                                                    const Xyz& box_max, const XyzRpy& tcp,
                                                    double step_s,
                                                    const std::optional<JointArray>& seed_q,
                                                    const std::optional<JointArray>& q_min,
                                                    const std::optional<JointArray>& q_max) {
    if (q.ndim() != 2) throw py::value_error("waypoints are (T, 7)");
    std::vector<JointArray> waypoints = to_joints(q, "waypoints are (T, 7)");
    const FollowRules rules = to_rules(tcp, step_s, q_min, q_max);
    const Box box{.min_m = box_min, .max_m = box_max};
    std::size_t replaced = 0;
    if (!waypoints.empty()) {
        const py::gil_scoped_release no_gil;
        const JointArray before = seed_q ? *seed_q : waypoints.front();
        replaced = keep_in_box(waypoints, before, box, rules);
    }
    return {to_array(waypoints), replaced};
}

}  // namespace

void bind_kinematics(py::module_& module) {
    module.attr("FLANGE_M") = kFr3Flange_m;
    module.def("target_range", &range_of_targets, py::arg("q_min") = py::none(),
               py::arg("q_max") = py::none());
    module.def("forward", &forward, py::arg("q"), py::arg("tcp"));
    module.def("joint_frames", &all_frames, py::arg("q"));
    module.def("follow_poses", &follow_poses, py::arg("seed_q"), py::arg("poses"), py::arg("tcp"),
               py::arg("step_s"), py::arg("q_min") = py::none(), py::arg("q_max") = py::none());
    module.def("keep_in_box", &keep_waypoints_in_box, py::arg("q"), py::arg("box_min"),
               py::arg("box_max"), py::arg("tcp"), py::arg("step_s"),
               py::arg("seed_q") = py::none(), py::arg("q_min") = py::none(),
               py::arg("q_max") = py::none());
}

}  // namespace rti::python
