// A recorded run, played again: the arrays of a recording in, the same arrays as the core makes
// them now out.
#include "control/replay.hpp"

#include "core.hpp"
#include "core_records.hpp"

namespace rti::python {
namespace {

using Cycles = py::array_t<rti_record, py::array::c_style>;
using Actions = py::array_t<rti_action, py::array::c_style>;

class Player {
  public:
    explicit Player(const py::dict& config) : replay_(core_options(config).motion) {
        // Before the first array comes: it is recognised by these.
        cycle_dtype();
        action_dtype();
    }

    void push(const Actions& records) {
        replay_.push({records.data(), static_cast<std::size_t>(records.size())});
    }

    Cycles play(const Cycles& recorded) {
        Cycles played(recorded.size());
        const rti_record* from = recorded.data();
        rti_record* to = played.mutable_data();
        const py::ssize_t count = recorded.size();
        const py::gil_scoped_release no_gil;
        for (py::ssize_t i = 0; i < count; ++i) to[i] = replay_.play(from[i]);
        return played;
    }

  private:
    Replay replay_;
};

}  // namespace

void bind_replay(py::module_& module) {
    py::class_<Player>(module, "Replay")
        .def(py::init<const py::dict&>(), py::arg("config"))
        .def("push", &Player::push, py::arg("records").noconvert())
        .def("play", &Player::play, py::arg("recorded").noconvert());
}

}  // namespace rti::python
