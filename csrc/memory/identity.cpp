#include "memory/identity.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

namespace rti {

std::uint64_t own_start_ticks() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end =
        line.rfind(')');  // field 2, the name, may hold spaces and brackets
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    std::uint64_t ticks = 0;
    return fields >> ticks ? ticks : 0;
}

std::array<std::uint8_t, 16> kernel_boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string digits;
    file >> digits;
    std::erase(digits, '-');
    std::array<std::uint8_t, 16> id{};
    if (digits.size() != 2 * id.size()) return id;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const char* first = digits.data() + 2 * i;
        std::from_chars(first, first + 2, id[i], 16);
    }
    return id;
}

}  // namespace rti
