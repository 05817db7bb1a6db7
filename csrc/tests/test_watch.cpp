// The watch thread against a real pipe. Nothing here asks how fast it is: each wait ends when the
// request is what it must become, and a request that must not change is given a reason to.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "control/watch.hpp"

using namespace rti;
using namespace std::chrono_literals;

namespace {

class Pipe {
  public:
    Pipe() { REQUIRE(pipe2(fds_, O_CLOEXEC) == 0); }
    ~Pipe() {
        hang_up();
        close(fds_[0]);
    }
    [[nodiscard]] int read_end() const { return fds_[0]; }
    void send(const char* bytes, std::size_t count = 1) const {
        REQUIRE(write(fds_[1], bytes, count) == static_cast<ssize_t>(count));
    }
    // Until everything sent has been read; what is sent then is read apart from it.
    void drained() const {
        int left = 1;
        while (ioctl(fds_[0], FIONREAD, &left) == 0 && left > 0) std::this_thread::sleep_for(1ms);
    }
    void hang_up() {
        if (fds_[1] >= 0) close(fds_[1]);
        fds_[1] = -1;
    }

  private:
    int fds_[2] = {-1, -1};
};

// The patience is a watchdog: what never comes fails, and does not hang.
void until(Watch& watch, Request expected) {
    Request heard = watch.request();
    for (int patience = 10'000; patience > 0 && heard != expected; --patience) {
        std::this_thread::sleep_for(1ms);
        heard = watch.request();
    }
    REQUIRE(heard == expected);
}

}  // namespace

TEST_CASE("watch: a silent heart asks for rest, and a beat takes that back") {
    Pipe pipe;
    Watch watch(pipe.read_end(), 20ms);
    until(watch, Request::kRest);
    pipe.send("h");
    until(watch, Request::kFollow);
    until(watch, Request::kRest);
}

TEST_CASE("watch: a paused heart asks for rest as long as it says so") {
    Pipe pipe;
    Watch watch(pipe.read_end(), 60s);
    pipe.send("p");
    until(watch, Request::kRest);
    pipe.send("p");
    std::this_thread::sleep_for(20ms);
    CHECK(watch.request() == Request::kRest);
    pipe.send("h");
    until(watch, Request::kFollow);
}

TEST_CASE("watch: a pause that is over when it is heard still asks for rest") {
    Pipe pipe;
    pipe.send("hphh", 4);
    Watch watch(pipe.read_end(), 60s);
    until(watch, Request::kRest);
    pipe.send("h");
    until(watch, Request::kFollow);
}

TEST_CASE("watch: a pause that is over before the loop looks is still heard of, once") {
    Pipe pipe;
    Watch watch(pipe.read_end(), 60s);
    for (int pauses = 0; pauses < 20; ++pauses) {
        REQUIRE(watch.request() == Request::kFollow);
        pipe.send("p");
        pipe.drained();
        pipe.send("h");
        pipe.drained();
        until(watch, Request::kRest);  // however long the loop has been away
        until(watch, Request::kFollow);
    }
}

TEST_CASE("watch: a pause that falls silent rests, and is still a pause when it speaks again") {
    Pipe pipe;
    Watch watch(pipe.read_end(), 20ms);
    pipe.send("p");
    std::this_thread::sleep_for(60ms);  // stale by now as well
    CHECK(watch.request() == Request::kRest);
    pipe.send("p");
    std::this_thread::sleep_for(5ms);
    CHECK(watch.request() == Request::kRest);
}

TEST_CASE("watch: f asks for the end, and no beat takes that back") {
    Pipe pipe;
    Watch watch(pipe.read_end(), 20ms);
    pipe.send("f");
    until(watch, Request::kFinish);
    pipe.send("hph", 3);
    std::this_thread::sleep_for(60ms);  // stale by now as well
    CHECK(watch.request() == Request::kFinish);
}

TEST_CASE("watch: an f among other bytes is heard") {
    Pipe pipe;
    pipe.send("hpfph", 5);
    Watch watch(pipe.read_end(), 10s);
    until(watch, Request::kFinish);
}

TEST_CASE("watch: the end of the pipe asks for the end of the motion") {
    Pipe pipe;
    Watch watch(pipe.read_end(), 10s);
    pipe.hang_up();
    until(watch, Request::kFinish);
}

TEST_CASE("watch: a descriptor that is no pipe counts as one whose other end is gone") {
    Watch watch(-2, 10s);  // poll() passes over negative numbers: silence, then rest
    CHECK(watch.request() == Request::kFollow);
    const int folder = open("/", O_RDONLY | O_CLOEXEC);
    {
        Watch on_a_folder(folder, 10s);
        until(on_a_folder, Request::kFinish);
    }
    close(folder);
}

TEST_CASE("watch: it can be destroyed at any time") {
    Pipe pipe;
    for (int i = 0; i < 50; ++i) {
        Watch watch(pipe.read_end(), i % 2 == 0 ? 1ms : 10s);
        if (i % 3 == 0) pipe.send("h");
    }
}
