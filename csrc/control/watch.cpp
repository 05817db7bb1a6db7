#include "control/watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace rti {
namespace {

using Clock = std::chrono::steady_clock;

int checked(int fd, const char* what) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
    return fd;
}

int open_signal_fd() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    return checked(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

// Milliseconds for poll(), rounded up so that it is not called again and again for the last one.
int poll_timeout_ms(Clock::time_point until) noexcept {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

}  // namespace

Watch::Watch(int heartbeat_fd, std::chrono::milliseconds stale_after)
    : heartbeat_fd_(heartbeat_fd),
      stale_after_(stale_after),
      wake_fd_(checked(eventfd(0, EFD_CLOEXEC), "eventfd")),
      signal_fd_(-1),
      last_byte_(Clock::now()) {
    try {
        signal_fd_ = open_signal_fd();
        thread_ = std::thread([this] { run(); });
    } catch (...) {
        if (signal_fd_ >= 0) close(signal_fd_);
        close(wake_fd_);
        throw;
    }
}

Watch::~Watch() {
    const std::uint64_t one = 1;
    // An eventfd at zero takes this write whatever happens.
    [[maybe_unused]] const auto written = write(wake_fd_, &one, sizeof one);
    thread_.join();
    close(signal_fd_);
    close(wake_fd_);
}

void Watch::run() noexcept {
    for (;;) {
        const std::uint32_t word = word_.load(std::memory_order_relaxed);  // this thread's own
        const bool finishing = request_in(word) == Request::kFinish;
        const bool fresh = Clock::now() < last_byte_ + stale_after_;
        if (!finishing && !fresh) ask(Request::kRest);
        // A negative descriptor is one that poll() passes over: of a dead pipe there is no more to
        // hear.
        std::array<pollfd, 3> fds{{{wake_fd_, POLLIN, 0},
                                   {signal_fd_, POLLIN, 0},
                                   {gone_ ? -1 : heartbeat_fd_, POLLIN, 0}}};
        const int timeout_ms =
            !finishing && fresh ? poll_timeout_ms(last_byte_ + stale_after_) : -1;
        if (poll(fds.data(), fds.size(), timeout_ms) < 0) continue;  // EINTR: look again
        if (fds[0].revents != 0) return;
        if (fds[1].revents != 0) {
            signalfd_siginfo info{};
            if (read(signal_fd_, &info, sizeof info) == sizeof info) ask(Request::kFinish);
        }
        if (fds[2].revents != 0) take_heartbeat();
    }
}

void Watch::take_heartbeat() noexcept {
    std::array<char, 256> bytes;
    const ssize_t count = read(heartbeat_fd_, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {  // end of file, or a pipe that cannot be read: nobody is watching any more
        gone_ = true;
        ask(Request::kFinish);
        return;
    }
    last_byte_ = Clock::now();
    const std::string_view heard(bytes.data(), static_cast<std::size_t>(count));
    if (heard.find('f') != heard.npos) return ask(Request::kFinish);
    ask(heard.find('p') != heard.npos ? Request::kRest : Request::kFollow);
}

void Watch::ask(Request request) noexcept {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);  // this thread's own
    const Request before = request_in(word);
    if (before == Request::kFinish) return;  // there is no way back from the end
    const bool rests = request == Request::kRest && before != Request::kRest;
    const std::uint32_t count = word / kOneRest + (rests ? 1U : 0U);
    // relaxed: see request()
    word_.store(count * kOneRest + static_cast<std::uint32_t>(request), std::memory_order_relaxed);
}

}  // namespace rti
