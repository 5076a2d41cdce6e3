"""The words for units, currencies and scales, as data: symbol → (Chinese, English for one, English for more)."""

from typing import Final, NamedTuple


class Name(NamedTuple):
    """What a symbol is called."""

    zh: str
    one: str
    many: str


def _names(table: str) -> dict[str, Name]:
    """Parse lines of `symbols | Chinese | English one | English many`."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return {symbol: Name(zh, one, many) for symbols, zh, one, many in rows for symbol in symbols.split()}


UNITS: Final = _names(
    """
    km/h kph        | 公里每小时   | kilometer per hour    | kilometers per hour
    m/s             | 米每秒       | meter per second      | meters per second
    m/s^2 m/s2      | 米每二次方秒 | meter per second squared | meters per second squared
    mph             | 英里每小时   | mile per hour         | miles per hour
    km              | 公里         | kilometer             | kilometers
    cm              | 厘米         | centimeter            | centimeters
    mm              | 毫米         | millimeter            | millimeters
    μm um µm        | 微米         | micrometer            | micrometers
    nm              | 纳米         | nanometer             | nanometers
    m               | 米           | meter                 | meters
    ft              | 英尺         | foot                  | feet
    inch            | 英寸         | inch                  | inches
    km^2 km2        | 平方公里     | square kilometer      | square kilometers
    m^2 m2          | 平方米       | square meter          | square meters
    cm^2 cm2        | 平方厘米     | square centimeter     | square centimeters
    m^3 m3          | 立方米       | cubic meter           | cubic meters
    cm^3 cm3        | 立方厘米     | cubic centimeter      | cubic centimeters
    μg/m^3 μg/m3 ug/m3 | 微克每立方米 | microgram per cubic meter | micrograms per cubic meter
    mg/m^3 mg/m3    | 毫克每立方米 | milligram per cubic meter | milligrams per cubic meter
    kg/m^3 kg/m3    | 千克每立方米 | kilogram per cubic meter | kilograms per cubic meter
    g/cm^3 g/cm3    | 克每立方厘米 | gram per cubic centimeter | grams per cubic centimeter
    kg Kg KG        | 公斤         | kilogram              | kilograms
    g               | 克           | gram                  | grams
    mg              | 毫克         | milligram             | milligrams
    μg µg           | 微克         | microgram             | micrograms
    lb lbs          | 磅           | pound                 | pounds
    oz              | 盎司         | ounce                 | ounces
    L               | 升           | liter                 | liters
    mL ml ML        | 毫升         | milliliter            | milliliters
    mg/L            | 毫克每升     | milligram per liter   | milligrams per liter
    ℃ °C            | 摄氏度       | degree Celsius        | degrees Celsius
    ℉ °F            | 华氏度       | degree Fahrenheit     | degrees Fahrenheit
    °               | 度           | degree                | degrees
    h hr hrs        | 小时         | hour                  | hours
    min mins        | 分钟         | minute                | minutes
    s sec           | 秒           | second                | seconds
    ms              | 毫秒         | millisecond           | milliseconds
    μs µs us        | 微秒         | microsecond           | microseconds
    ns              | 纳秒         | nanosecond            | nanoseconds
    Hz              | 赫兹         | hertz                 | hertz
    kHz             | 千赫         | kilohertz             | kilohertz
    MHz             | 兆赫         | megahertz             | megahertz
    GHz             | 吉赫         | gigahertz             | gigahertz
    V               | 伏           | volt                  | volts
    mV              | 毫伏         | millivolt             | millivolts
    W               | 瓦           | watt                  | watts
    kW KW           | 千瓦         | kilowatt              | kilowatts
    MW              | 兆瓦         | megawatt              | megawatts
    kWh KWh         | 千瓦时       | kilowatt hour         | kilowatt hours
    mA              | 毫安         | milliampere           | milliamperes
    mAh             | 毫安时       | milliampere hour      | milliampere hours
    Ω               | 欧姆         | ohm                   | ohms
    Pa              | 帕           | pascal                | pascals
    kPa             | 千帕         | kilopascal            | kilopascals
    hPa             | 百帕         | hectopascal           | hectopascals
    MPa             | 兆帕         | megapascal            | megapascals
    mmHg            | 毫米汞柱     | millimeter of mercury | millimeters of mercury
    kcal            | 千卡         | kilocalorie           | kilocalories
    cal             | 卡           | calorie               | calories
    kJ              | 千焦         | kilojoule             | kilojoules
    J               | 焦耳         | joule                 | joules
    N               | 牛           | newton                | newtons
    dB              | 分贝         | decibel               | decibels
    px              | 像素         | pixel                 | pixels
    fps FPS         | 帧每秒       | frame per second      | frames per second
    rpm RPM         | 转每分钟     | revolution per minute | revolutions per minute
    bpm BPM         | 次每分钟     | beat per minute       | beats per minute
    ppm             | ppm          | part per million      | parts per million
    B               | 字节         | byte                  | bytes
    KB kB           | KB           | kilobyte              | kilobytes
    MB              | MB           | megabyte              | megabytes
    GB              | GB           | gigabyte              | gigabytes
    TB              | TB           | terabyte              | terabytes
    KB/s kB/s       | KB每秒       | kilobyte per second   | kilobytes per second
    MB/s            | MB每秒       | megabyte per second   | megabytes per second
    GB/s            | GB每秒       | gigabyte per second   | gigabytes per second
    kbps Kbps       | Kbps         | kilobit per second    | kilobits per second
    Mbps            | 兆比特每秒   | megabit per second    | megabits per second
    Gbps            | 吉比特每秒   | gigabit per second    | gigabits per second
    """
)

CURRENCIES: Final = _names(
    """
    ¥ CNY RMB       | 元     | yuan            | yuan
    $ USD US$       | 美元   | dollar          | dollars
    € EUR           | 欧元   | euro            | euros
    £ GBP           | 英镑   | pound           | pounds
    ₩ KRW           | 韩元   | won             | won
    ₹ INR           | 卢比   | rupee           | rupees
    HK$ HKD         | 港元   | Hong Kong dollar | Hong Kong dollars
    NT$ TWD         | 新台币 | New Taiwan dollar | New Taiwan dollars
    JPY JP¥         | 日元   | yen             | yen
    SGD S$          | 新加坡元 | Singapore dollar | Singapore dollars
    AUD A$          | 澳元   | Australian dollar | Australian dollars
    CAD C$          | 加元   | Canadian dollar | Canadian dollars
    """
)
CENTS: Final = {"$": "cent", "US$": "cent", "USD": "cent", "€": "cent", "EUR": "cent", "£": "penny"}

SCALES: Final = {
    "K": 3,
    "k": 3,
    "M": 6,
    "B": 9,
    "T": 12,
    "thousand": 3,
    "million": 6,
    "billion": 9,
    "trillion": 12,
    "bn": 9,
}
"""Powers of ten that may follow an amount of money."""
EN_SCALES: Final = {3: "thousand", 6: "million", 9: "billion", 12: "trillion"}

MEASURES: Final = frozenset(
    "个只条张本件次年天周种台辆部间家层名项块元米克斤公小分秒倍万亿千杯瓶碗包盒颗位双对套份张座棵头匹门首句段篇幅遍趟场笔群批步把根片滴粒枚轮站章"
)
"""Characters before which a lone 2 is read 两."""

PER: Final = frozenset("年月周天日时小分秒人次个件斤米升")
"""Characters before which a slash after a Chinese unit is read 每."""
PER_LEFT: Final = frozenset("元块角次里米克斤币镑步圈度瓦字升件个")
PER_EN: Final = {
    name: name
    for name in ("month", "year", "day", "hour", "week", "person", "minute", "second", "night", "user", "token")
} | {"mo": "month", "yr": "year", "h": "hour", "hr": "hour", "s": "second", "min": "minute"}
PER_ZH: Final = {
    "month": "月",
    "mo": "月",
    "year": "年",
    "yr": "年",
    "day": "天",
    "hour": "小时",
    "hr": "小时",
    "h": "小时",
    "week": "周",
    "person": "人",
    "minute": "分钟",
    "min": "分钟",
    "second": "秒",
    "s": "秒",
    "night": "晚",
    "user": "用户",
    "token": "token",
}
