"""Words the invention draws from. Common words and common names, put together by chance."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mapgrid.cases import CaseClass

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILY_NAMES = tuple(
    "王王王李李李张张张刘刘陈陈杨杨赵黄黄周周吴吴徐徐孙孙胡胡朱高林林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜"
)
GIVEN_NAMES_M = (
    *("建国", "建军", "志强", "志明", "国强", "国华", "文斌", "海涛", "永福", "永贵", "德才", "德明", "长生", "长根"),
    *("金水", "水生", "春生", "秋生", "天佑", "俊杰", "浩然", "子轩", "宇航", "明远", "家豪", "晓东", "小龙", "大勇"),
    *("伟", "强", "军", "勇", "磊", "涛", "斌", "鹏", "辉", "波", "刚", "亮"),
)
GIVEN_NAMES_F = (
    *("秀英", "桂英", "玉兰", "玉梅", "凤英", "桂兰", "秀兰", "淑珍", "春梅", "冬梅", "秋菊", "雪梅", "美玲", "美华"),
    *("丽华", "丽娟", "小红", "小燕", "晓丽", "婷婷", "梓涵", "欣怡", "雨桐", "诗涵", "佳怡", "思琪", "爱珍", "翠花"),
    *("芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "玲", "燕", "萍", "红"),
)

CASE_TITLES: Mapping[CaseClass, tuple[str, ...]] = MappingProxyType(
    {
        CaseClass.DISPUTE: (
            "宅基地边界起争执",
            "邻居房檐滴水纠纷",
            "承包地田埂被占",
            "共用水井引起口角",
            "兄弟分家产争议",
        ),
        CaseClass.HAZARD: ("围墙倾斜有倒塌危险", "电线老化裸露", "河堤护栏缺损", "山坡落石堵住半边路", "老屋瓦片松动"),
        CaseClass.LIVELIHOOD: (
            "医保报销迟迟未到账",
            "低保申请想问进度",
            "冬季取暖有困难",
            "自来水水压不足",
            "养老金认证办不了",
        ),
        CaseClass.SANITATION: ("垃圾清运点满溢", "污水流到路面", "有人乱倒建筑垃圾", "公厕无人打扫", "沟渠堵塞发臭"),
        CaseClass.INFRASTRUCTURE: (
            "路灯不亮，夜里看不见路",
            "村道路面坑洼",
            "桥面护栏松动",
            "排水沟盖板破损",
            "公交站牌倒了",
        ),
        CaseClass.POLICY_ADVICE: (
            "咨询建房审批手续",
            "咨询土地流转补贴",
            "咨询大病救助条件",
            "咨询残疾证办理",
            "咨询学区划分",
        ),
        CaseClass.SPECIAL_CARE: (
            "独居老人需要送餐",
            "残疾人申请轮椅",
            "留守儿童放学无人接",
            "老人走失后已找回，请回访",
            "精神障碍者需送药",
        ),
        CaseClass.EMERGENCY: (
            "燃气泄漏已关阀，待检修",
            "灶房起火已扑灭",
            "暴雨后地下室进水",
            "大树倒伏压住电线",
            "老人摔倒送医",
        ),
        CaseClass.OTHER: ("流浪狗伤人", "夜间施工噪音", "快递点关门", "祠堂修缮想请村里帮忙", "无人机扰民"),
    }
)

NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九")


def numeral(number: int) -> str:
    """Return a whole number of 1 to 99 in Chinese characters."""
    tens, ones = divmod(number, 10)
    lead = "" if tens == 0 else ("十" if tens == 1 else NUMERALS[tens - 1] + "十")
    return lead + (NUMERALS[ones - 1] if ones else "")
