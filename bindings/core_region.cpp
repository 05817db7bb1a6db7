// The region as the network process sees it: it pushes chunks and reads what the core tells.
//
// Threads: the GIL is held throughout, so that the one producer of the ring stays one even if two
// Python threads push.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core.hpp"
#include "core_records.hpp"
#include "memory/mailbox.hpp"
#include "memory/region.hpp"
#include "memory/spsc_ring.hpp"
#include "memory/telemetry.hpp"

namespace rti::python {
namespace {

using Actions = py::array_t<float, py::array::c_style | py::array::forcecast>;

template <std::size_t n>
py::array_t<double> to_array(const double (&values)[n]) {
    return py::array_t<double>(static_cast<py::ssize_t>(n), values);
}

class SharedRegion {
  public:
    explicit SharedRegion(Region region) : region_(std::move(region)) {}

    const rti_region& view() const noexcept { return region_.view(); }
    const rti_header& header() const noexcept { return region_.view().header; }

    bool push_chunk(const Actions& actions, std::uint32_t epoch, std::uint64_t chunk_id,
                    std::int64_t capture_ns, double origin_step, std::int64_t received_ns) {
        if (actions.ndim() != 2 || actions.shape(0) < 1 || actions.shape(0) > RTI_MAX_CHUNK ||
            actions.shape(1) < RTI_DOF || actions.shape(1) > RTI_MAX_VALUES) {
            throw py::value_error("a chunk is (T, A) with T from 1 to 512 and A from 7 to 16");
        }
        const std::span<const float> values(actions.data(),
                                            static_cast<std::size_t>(actions.size()));
        for (const float value : values) {
            if (!std::isfinite(value))
                throw py::value_error("a chunk must not contain NaN or infinity");
        }
        if (!std::isfinite(origin_step))
            throw py::value_error("origin_step must be a finite number");

        const auto count = static_cast<std::size_t>(actions.shape(0));
        const auto dim = static_cast<std::size_t>(actions.shape(1));
        const RingProducer::Claim claim = producer().claim(count);
        if (!claim) return false;
        for (std::size_t i = 0; i < count; ++i) {
            rti_action record{};
            record.kind = RTI_RECORD_ACTION;
            record.epoch = epoch;
            record.chunk_id = chunk_id;
            record.index = static_cast<std::uint32_t>(i);
            record.count = static_cast<std::uint32_t>(count);
            record.capture_ns = capture_ns;
            record.origin_step = origin_step;
            record.received_ns = received_ns;
            record.dim = static_cast<std::uint32_t>(dim);
            const auto action = values.subspan(i * dim, dim);
            std::copy(action.begin(), action.end(), record.values);
            claim[i] = record;
        }
        // The producer's own slots until they are published; the core never writes to them.
        for (std::size_t i = 0; kept_ && i < count; ++i) kept_->push_back(claim[i]);
        producer().publish(count);
        return true;
    }

    bool push_new_epoch() {
        rti_action record{};
        record.kind = RTI_RECORD_NEW_EPOCH;
        if (!producer().push({&record, 1})) return false;
        if (kept_) kept_->push_back(record);
        return true;
    }

    // From now on a copy is kept of what is pushed, until pushed() hands it out.
    void keep_pushed() { kept_.emplace(); }

    py::array pushed() {
        if (!kept_) throw py::value_error("nothing is kept: call keep_pushed() first");
        py::array out(action_dtype(), static_cast<py::ssize_t>(kept_->size()), kept_->data());
        kept_->clear();
        return out;
    }

    std::optional<py::dict> state() const {
        rti_state state;
        if (MailboxReader(view()).read(state) == 0) return std::nullopt;
        py::dict out;
        out["cycle"] = state.cycle;
        out["time_ns"] = state.time_ns;
        out["policy_step"] = state.policy_step;
        out["policy_rate"] = state.policy_rate;
        out["steps_queued"] = state.steps_queued;
        out["epoch"] = state.epoch;
        out["epoch_since_ns"] = state.epoch_since_ns;
        out["phase"] = state.phase;
        const auto reflex = static_cast<Reflex>(state.reflex);
        out["reflex"] = reflex == Reflex::kNone ? py::object(py::none())
                                                : py::str(std::string(reflex_name(reflex)));
        const std::string refusal(refusal_name(state.last_refusal));
        out["last_refusal"] = refusal.empty() ? py::object(py::none()) : py::str(refusal);
        out["chunk_id"] = state.chunk_id;
        out["chunks_admitted"] = state.chunks_admitted;
        out["chunks_refused"] = state.chunks_refused;
        out["start_distance_rad"] = state.start_distance_rad;
        out["q"] = to_array(state.q);
        out["dq"] = to_array(state.dq);
        out["q_command"] = to_array(state.q_command);
        const auto tool_values = std::min<std::uint32_t>(state.tool_values, RTI_MAX_TOOL);
        out["tool"] = py::array_t<double>(tool_values, state.tool);
        return out;
    }

  private:
    // Made by the first push, once: an observer has none.
    RingProducer& producer() {
        if (!producer_) producer_.emplace(region_.writable());
        return *producer_;
    }

    Region region_;
    std::optional<RingProducer> producer_;
    std::optional<std::vector<rti_action>> kept_;  // what was pushed and not yet handed out
};

class Records {
  public:
    explicit Records(const SharedRegion& region)
        : reader_(region.view(), TelemetryStart::kOldest), block_(1024) {}

    py::array read() {
        std::vector<rti_record> records;
        std::size_t count = block_.size();
        while (count == block_.size()) {
            count = reader_.read(block_);
            records.insert(records.end(), block_.begin(),
                           block_.begin() + static_cast<std::ptrdiff_t>(count));
        }
        return {cycle_dtype(), static_cast<py::ssize_t>(records.size()), records.data()};
    }

    std::uint64_t lost() const noexcept { return reader_.lost(); }

  private:
    TelemetryReader reader_;
    std::vector<rti_record> block_;
};

SharedRegion attach(int fd, bool writable, double timeout_s) {
    const auto patience = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(timeout_s));
    const py::gil_scoped_release no_gil;  // it may wait
    return SharedRegion(
        Region::attach(fd, writable ? Access::kReadWrite : Access::kReadOnly, patience));
}

void format(int fd, const std::string& robot_id, double fps, std::uint64_t generation) {
    Region::create(fd, {.robot_id = robot_id, .fps = fps, .generation = generation});
}

}  // namespace

void bind_region(py::module_& module) {
    py::register_exception<RegionException>(module, "RegionError", PyExc_RuntimeError);

    py::class_<SharedRegion>(module, "Region")
        .def_static("format", &format, py::arg("fd"), py::arg("robot_id"), py::arg("fps"),
                    py::arg("generation"))
        .def_static("attach", &attach, py::arg("fd"), py::kw_only(), py::arg("writable"),
                    py::arg("timeout_s") = 0.0)
        .def_property_readonly("robot_id",
                               [](const SharedRegion& r) { return r.header().robot_id; })
        .def_property_readonly("fps", [](const SharedRegion& r) { return r.header().fps; })
        .def_property_readonly("generation",
                               [](const SharedRegion& r) { return r.header().generation; })
        .def_property_readonly("creator_pid",
                               [](const SharedRegion& r) { return r.header().creator_pid; })
        .def("push_chunk", &SharedRegion::push_chunk, py::arg("actions"), py::arg("epoch"),
             py::arg("chunk_id"), py::arg("capture_ns"), py::arg("origin_step"),
             py::arg("received_ns"))
        .def("push_new_epoch", &SharedRegion::push_new_epoch)
        .def("keep_pushed", &SharedRegion::keep_pushed)
        .def("pushed", &SharedRegion::pushed)
        .def("state", &SharedRegion::state)
        .def("stats", [](const SharedRegion& r) { return statistics_of(r.view().stats); });

    py::class_<Records>(module, "TelemetryReader")
        .def(py::init<const SharedRegion&>(), py::keep_alive<1, 2>(), py::arg("region"))
        .def("read", &Records::read)
        .def_property_readonly("lost", &Records::lost);

    module.def("record_dtype", &cycle_dtype);
    module.def("action_dtype", &action_dtype);
}

}  // namespace rti::python
