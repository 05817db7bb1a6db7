// What the loop says when the system refuses it what it asks for: in a child process, which gives
// up its rights first.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "control/realtime.hpp"

namespace rti {
namespace {

constexpr uid_t kNobody = 65534;

// The lines that a process without rights is told, each ended by a newline.
std::string told_without_rights(const RealtimeOptions& options) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const rlimit none{.rlim_cur = 0, .rlim_max = 0};
        setrlimit(RLIMIT_MEMLOCK, &none);
        setrlimit(RLIMIT_RTPRIO, &none);
        if (geteuid() == 0 && setuid(kNobody) != 0) _exit(1);
        std::string told;
        try {
            const RealtimeScope scope(options);
            for (const std::string& refusal : scope.report().refusals) told += refusal + "\n";
        } catch (const RealtimeRefused& refused) {
            told = std::string("thrown: ") + refused.what() + "\n";
        }
        const bool whole = write(ends[1], told.data(), told.size()) == ssize_t(told.size());
        _exit(whole ? 0 : 1);
    }
    close(ends[1]);
    std::string told;
    std::array<char, 512> part{};
    for (ssize_t n = 0; (n = read(ends[0], part.data(), part.size())) > 0;) {
        told.append(part.data(), static_cast<std::size_t>(n));
    }
    close(ends[0]);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    return told;
}

bool says(const std::string& told, const std::string& part) {
    return told.find(part) != std::string::npos;
}

TEST_CASE("Whatever the system refuses is one line, with what to paste into a shell") {
    const std::string told = told_without_rights({.priority = 80});
    CAPTURE(told);
    CHECK(told.find('\n') == told.size() - 1);
    CHECK(says(told, "SCHED_FIFO 80 (Operation not permitted)"));
    CHECK(says(told, "run `printf '%s - rtprio 80\\n%s - memlock unlimited\\n'"));
    CHECK(says(told, "| sudo tee /etc/security/limits.d/rt-infer.conf`"));
}

TEST_CASE("A CPU that is not there has a line of its own, since its remedy is another") {
    const std::string told = told_without_rights({.priority = 80, .cpu = 1023});
    CAPTURE(told);
    CHECK(says(told, "CPU 1023 was refused"));
    CHECK(says(told, "give --rt.cpu"));
    CHECK(told.find('\n') < told.size() - 1);
}

TEST_CASE("What is required and refused is an error that says how to do without") {
    const std::string told = told_without_rights({.priority = 80, .require = true});
    CAPTURE(told);
    CHECK(says(told, "thrown: The system refused"));
    CHECK(says(told, "or run with --rt.require=false"));
}

}  // namespace
}  // namespace rti
