// Configuration from Python dicts. Every key is known or refused; every value has one type.
#include <pybind11/stl.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "core.hpp"
#include "motion/target_range.hpp"

namespace rti::python {
namespace {

// Takes the values out of a dict by name and, at the end, complains of what nobody took.
class Fields {
  public:
    Fields(const py::dict& dict, std::string what) : dict_(dict), what_(std::move(what)) {}

    template <class T>
    void take(const char* key, T& into) {
        known_.insert(key);
        if (!dict_.contains(key)) return;
        const py::object value = dict_[key];
        try {
            into = value.cast<T>();
        } catch (const py::cast_error&) {
            throw py::value_error(what_ + " cannot take " + key + "=" +
                                  py::repr(value).cast<std::string>());
        }
    }

    void complain_of_the_rest() const {
        for (const auto& item : dict_) {
            const auto key = item.first.cast<std::string>();
            if (!known_.contains(key)) throw py::value_error(what_ + " knows no " + key);
        }
    }

  private:
    const py::dict& dict_;
    std::string what_;
    std::set<std::string> known_;
};

void require(bool holds, const char* sentence) {
    if (!holds) throw py::value_error(sentence);
}

// A joint box narrows the arm's ranges, and leaves room for targets between the closing envelopes.
void require_narrower(const MotionLimits& limits) {
    const MotionLimits arm = MotionLimits::fr3();
    const JointRange targets = target_range(limits);
    for (std::size_t j = 0; j < kDof; ++j) {
        require(limits.q_min_rad[j] >= arm.q_min_rad[j] && limits.q_max_rad[j] <= arm.q_max_rad[j],
                "joint_lower and joint_upper must be inside the arm's range");
        require(targets.low_rad[j] < targets.high_rad[j],
                "joint_lower and joint_upper leave no room for targets");
    }
}

Aggregate aggregate_of(const std::string& name) {
    if (name == "weighted_average") return Aggregate::kWeightedAverage;
    if (name == "latest_only") return Aggregate::kLatestOnly;
    if (name == "average") return Aggregate::kAverage;
    if (name == "conservative") return Aggregate::kConservative;
    if (name == "crossfade") return Aggregate::kCrossfade;
    if (name == "offset_decay") return Aggregate::kOffsetDecay;
    throw py::value_error(
        "aggregate is one of weighted_average, latest_only, average, conservative, crossfade, "
        "offset_decay, not " +
        name);
}

Reflex reflex_of(const std::string& name) {
    for (auto code = Reflex::kNone; code <= Reflex::kOther;
         code = static_cast<Reflex>(static_cast<std::uint32_t>(code) + 1)) {
        if (reflex_name(code) == name) return code;
    }
    throw py::value_error("no reflex is called " + name);
}

SimFaults sim_faults(const py::dict& dict) {
    SimFaults faults;
    std::string fail_with{reflex_name(faults.fail_with)};
    Fields fields(dict, "the faults of sim_fr3");
    fields.take("fail_at_cycle", faults.fail_at_cycle);
    fields.take("fail_with", fail_with);
    fields.take("drop_from_cycle", faults.drop_from_cycle);
    fields.take("drop_count", faults.drop_count);
    fields.complain_of_the_rest();
    faults.fail_with = reflex_of(fail_with);
    return faults;
}

}  // namespace

CoreOptions core_options(const py::dict& config) {
    CoreOptions options;
    StepperConfig& motion = options.motion;
    std::string aggregate = "weighted_average";
    std::optional<int> cpu;
    std::array<double, 6> tcp{};
    py::dict arm;  // make_arm() reads it
    Fields fields(config, "the core");
    fields.take("arm", arm);
    fields.take("fps", motion.fps);
    fields.take("speed", motion.speed);
    fields.take("max_age_s", motion.max_age_s);
    fields.take("max_start_distance_rad", motion.max_start_distance_rad);
    fields.take("aggregate", aggregate);
    fields.take("crossfade_steps", motion.crossfade_steps);
    fields.take("offset_decay_s", motion.offset_decay_s);
    fields.take("tolerance_rad", motion.tolerance_rad);
    fields.take("joint_lower", motion.limits.q_min_rad);
    fields.take("joint_upper", motion.limits.q_max_rad);
    fields.take("box_min", motion.box.min_m);
    fields.take("box_max", motion.box.max_m);
    fields.take("tcp", tcp);
    fields.take("rt_priority", options.realtime.priority);
    fields.take("rt_cpu", cpu);
    fields.take("rt_require", options.realtime.require);
    fields.complain_of_the_rest();
    // Written so that a NaN fails them too.
    require(motion.fps > 0.0 && motion.fps <= 1000.0, "fps must be above 0 and at most 1000");
    require(motion.speed > 0.0 && motion.speed <= 1.0, "speed must be above 0 and at most 1");
    require(motion.max_age_s > 0.0, "max_age_s must be above 0");
    require(motion.max_start_distance_rad >= 0.0, "max_start_distance_rad must not be negative");
    require(motion.crossfade_steps > 0.0, "crossfade_steps must be above 0");
    require(motion.offset_decay_s > 0.0, "offset_decay_s must be above 0");
    require(motion.tolerance_rad >= 0.0, "tolerance_rad must not be negative");
    require_narrower(motion.limits);
    require(options.realtime.priority >= 0 && options.realtime.priority <= 99,
            "rt_priority must be 1 to 99, or 0 for ordinary scheduling");
    require(cpu.value_or(0) >= 0, "rt_cpu must not be negative");
    for (std::size_t i = 0; i < 3; ++i) {
        require(motion.box.max_m[i] - motion.box.min_m[i] >= kThinnestBox_m,
                "box_min must be 0.02 m or more below box_max");
    }
    for (const double value : tcp) require(std::isfinite(value), "tcp must be finite");
    motion.tool = transform_of(tcp);
    motion.aggregate = aggregate_of(aggregate);
    options.realtime.cpu = cpu.value_or(-1);
    return options;
}

SimFr3Config sim_fr3_config(const py::dict& arm) {
    SimFr3Config config;
    std::string type;
    py::dict faults;
    bool patient = false;
    Fields fields(arm, "sim_fr3");
    fields.take("type", type);
    fields.take("patient", patient);
    fields.take("start_pose_rad", config.start_pose_rad);
    fields.take("natural_frequency_rad_s", config.natural_frequency_rad_s);
    fields.take("faults", faults);
    fields.complain_of_the_rest();
    config.faults = sim_faults(faults);
    if (patient) config.pacing = Pacing::kPatient;
    return config;
}

std::unique_ptr<Arm> make_arm(const py::dict& config) {
    const py::dict arm = config["arm"];
    const auto type = arm["type"].cast<std::string>();
    if (type == "sim_fr3") return std::make_unique<SimFr3>(sim_fr3_config(arm));
    throw py::value_error("no arm is called " + type + ": this build knows sim_fr3");
}

}  // namespace rti::python
